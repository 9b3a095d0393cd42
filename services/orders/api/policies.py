"""Policies: the figures of the regulations as data."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.orders.commands import policies as commands
from services.orders.models import Policy
from services.orders.schemas.policies import NewPolicy
from shared.base.clock import now
from shared.identity.roles import STAFF, Role
from shared.web import Caller, Output, Page, PageRequest, Session, allow, paginate, service_router

router = service_router("Правила")


class PolicyCode(StrEnum):
    PREPAYMENT = "prepayment"
    REMOVAL = "removal"
    INQUIRIES = "inquiries"
    RETURNS = "returns"
    STATISTICS = "statistics"


class PolicyOut(Output):
    code: PolicyCode
    effective_from: datetime
    data: dict[str, Any]
    created_by: UUID | None
    created_at: datetime


@router.get("/policies/{code}", summary="Версии правила", dependencies=[allow(*STAFF)])
async def list_versions(code: PolicyCode, session: Session, page: PageRequest) -> Page[PolicyOut]:
    """Новые сверху: действует новейшая из наступивших (ORD-12, K4, INQ-04, RET-02…RET-06, ORD-16)."""
    query = select(Policy).where(Policy.code == code.value)
    found, following = await paginate(session, query, page, key=(Policy.effective_from.desc(),))
    return Page(items=[PolicyOut.model_validate(policy) for policy in found], next=following.next)


@router.post(
    "/policies/{code}", status_code=201, summary="Новая версия правила", dependencies=[allow(Role.HEAD_OFFICE)]
)
async def publish_policy(code: PolicyCode, body: NewPolicy, session: Session, caller: Caller) -> PolicyOut:
    """С даты, которая не в прошлом; прошлое не переписывается."""
    policy = await commands.publish_policy(session, code.value, body, caller=caller, at=now())
    return PolicyOut.model_validate(policy)
