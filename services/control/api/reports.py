"""Statistics of inquiries and head office's board."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from services.control.domain.statistics import check_period, month_of
from services.control.queries import remote
from services.control.queries.board import board
from services.control.queries.statistics import statistics
from services.control.schemas.fields import PlannedDay
from services.control.schemas.reports import Board, BrokerBoard, ServiceBoard, Statistics
from services.control.settings import ControlSettings
from shared.base.clock import now
from shared.identity.roles import SENIORS, Role
from shared.web import Session, allow, before_transaction, service_router
from shared.web.access import bearer_token

router = service_router("Отчёты")
EASTERNMOST = timedelta(hours=14)
"""The offset of the zone that is furthest ahead of UTC."""


@router.get("/statistics", dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)], summary="Статистика обращений")
async def read_statistics(
    session: Session,
    first_day: Annotated[PlannedDay | None, Query(description="Без него с начала месяца")] = None,
    last_day: Annotated[PlannedDay | None, Query(description="Включительно; без него по сегодня")] = None,
    office_id: Annotated[UUID | None, Query(description="Только этот офис")] = None,
) -> Statistics:
    """INQ-01, RPT-07. Посещения, звонки, сообщения, конверсия и причины отказов по офисам и менеджерам.

    Дни считаются по часам каждого офиса. Период не длиннее 366 дней.
    """
    today = now()
    # Inquiries of today count as well where it is tomorrow already.
    last = last_day or (today + EASTERNMOST).date()
    first = first_day or month_of(last_day or today.date())
    check_period(first, last)
    return await statistics(session, first, last, office_id)


async def _others(request: Request) -> tuple[BrokerBoard, list[ServiceBoard]]:
    settings: ControlSettings = request.app.state.settings
    return await remote.query_services(request.app.state.http, settings, bearer_token(request))


@router.get("/board", dependencies=[allow(Role.HEAD_OFFICE), before_transaction(_others)], summary="Обзор сети")
async def read_board(session: Session, request: Request) -> Board:
    """NTF-03, INQ-01, ORG-03, HR-03. Обязанности, обращения и оборот офисов, очереди брокера, обмен событиями.

    Сервис, который не ответил вовремя, показан как «не отвечает»; остальной обзор от этого не зависит.
    """
    broker, services = request.state.before_transaction
    return await board(session, broker=broker, services=services, at=now())
