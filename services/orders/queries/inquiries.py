"""Read inquiries and their tasks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.inquiry_marks import Mark
from services.orders.models import Inquiry, InquiryTask
from services.orders.models.inquiry import InquiryChannel, InquiryStatus
from services.orders.schemas.inquiries import InquiryOut, InquirySummary, TaskOut
from shared.base.errors import NotFound

NEWEST_FIRST = (Inquiry.recorded_at.desc(), Inquiry.id.desc())
EARLIEST_DUE_FIRST = (InquiryTask.due_at, InquiryTask.id)


@dataclass(frozen=True, slots=True)
class InquiryFilter:
    """What a list of inquiries is narrowed to; None narrows nothing."""

    status: InquiryStatus | None = None
    channel: InquiryChannel | None = None
    mark: Mark | None = None
    staff_id: UUID | None = None
    office_id: UUID | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None


def inquiries_matching(wanted: InquiryFilter) -> Select[Any]:
    """Select inquiries recorded from `recorded_from` up to, not including, `recorded_to`."""
    query = select(Inquiry)
    for column, value in (
        (Inquiry.status, wanted.status),
        (Inquiry.channel, wanted.channel),
        (Inquiry.mark, wanted.mark),
        (Inquiry.staff_id, wanted.staff_id),
        (Inquiry.office_id, wanted.office_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.recorded_from is not None:
        query = query.where(Inquiry.recorded_at >= wanted.recorded_from)
    if wanted.recorded_to is not None:
        query = query.where(Inquiry.recorded_at < wanted.recorded_to)
    return query


def tasks_matching(*, staff_id: UUID | None, open_only: bool) -> Select[Any]:
    """Select tasks (INQ-06); `open_only` leaves out those that are done."""
    query = select(InquiryTask)
    if staff_id is not None:
        query = query.where(InquiryTask.staff_id == staff_id)
    if open_only:
        query = query.where(InquiryTask.done_at.is_(None))
    return query


async def find_inquiry(session: AsyncSession, inquiry_id: UUID) -> Inquiry:
    """Return one inquiry of the caller's scope.  Raises NotFound."""
    inquiry = await session.scalar(select(Inquiry).where(Inquiry.id == inquiry_id))
    if inquiry is None:
        raise NotFound("Обращение не найдено.")
    return inquiry


async def show_inquiry(session: AsyncSession, inquiry: Inquiry) -> InquiryOut:
    """Return an inquiry with its tasks, the earliest due first (INQ-06)."""
    tasks = await session.scalars(
        select(InquiryTask).where(InquiryTask.inquiry_id == inquiry.id).order_by(*EARLIEST_DUE_FIRST)
    )
    return InquiryOut(**dict(InquirySummary.of(inquiry)), tasks=[TaskOut.of(task) for task in tasks])
