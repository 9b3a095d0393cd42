"""Events that `control` reacts to."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.control.commands import penalties, projections
from shared.contracts.billing import PaymentReceived
from shared.contracts.clients import CallLogged
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ObligationBreached,
    ObligationClosed,
    ObligationOpened,
    ObligationWarned,
)
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.messaging import Consumers

consumers = Consumers("control")


@consumers.on(InquiryRecorded)
async def count_inquiry(event: InquiryRecorded, session: AsyncSession) -> None:
    """INQ-01: every visit, call and message is counted."""
    await projections.record_inquiry(session, event)


@consumers.on(InquiryStatusChanged)
async def project_inquiry_status(event: InquiryStatusChanged, session: AsyncSession) -> None:
    """INQ-03: conversion and the reasons of lost inquiries follow the status."""
    await projections.change_inquiry(session, event)


@consumers.on(CallLogged)
async def count_call(event: CallLogged, session: AsyncSession) -> None:
    """RPT-07: calls per manager."""
    await projections.record_call(session, event)


@consumers.on(PaymentReceived)
async def count_turnover(event: PaymentReceived, session: AsyncSession) -> None:
    """ORG-03: the office's turnover of the month."""
    await projections.add_turnover(session, event)


@consumers.on(ObligationOpened)
async def project_opened_obligation(event: ObligationOpened, session: AsyncSession) -> None:
    """NTF-03: the board shows what is open."""
    await projections.project_obligation(session, event)


@consumers.on(ObligationWarned)
async def project_warned_obligation(event: ObligationWarned, session: AsyncSession) -> None:
    """NTF-03: the board shows what is about to run out."""
    await projections.project_obligation(session, event)


@consumers.on(ObligationBreached)
async def impose_breach_penalty(event: ObligationBreached, session: AsyncSession) -> None:
    """HR-03: a passed deadline is counted and costs penalty points."""
    await projections.project_obligation(session, event)
    await penalties.impose_for_breach(session, event)


@consumers.on(ObligationClosed)
async def project_closed_obligation(event: ObligationClosed, session: AsyncSession) -> None:
    """NTF-03: a closed duty leaves the board; what was done in time costs nothing, whenever it is heard."""
    await projections.project_obligation(session, event)
    if not event.breached:
        await penalties.withdraw_unfounded(session, event)


@consumers.on(CalendarDutyChanged)
async def project_calendar_obligation(event: CalendarDutyChanged, session: AsyncSession) -> None:
    """RPT-01…06, HR-02, HR-03, CALL-04: reports and checks have deadlines as well, and cost points when they pass."""
    await projections.project_calendar_obligation(session, event)
    if event.happened == "breached":
        await penalties.impose_for_report(session, event)
    elif event.closed_at is not None and not event.breached:
        await penalties.withdraw_unfounded(session, event)
