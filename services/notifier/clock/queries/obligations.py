"""Read obligations and their history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.waiting import Period
from services.notifier.clock.models.obligations import Obligation, ObligationHistory, ObligationRemark
from services.notifier.people.models.projections import Calendar, Client, Office, StaffMember
from shared.base.errors import NotFound
from shared.vocabulary.worktime import WorkingCalendar

ObligationFilter = Literal["open", "soon", "overdue", "closed", "all"]


def obligations(
    *,
    state: ObligationFilter,
    at: datetime,
    office_id: UUID | None = None,
    responsible_id: UUID | None = None,
    client_id: UUID | None = None,
    subject_kind: str | None = None,
    subject_id: UUID | None = None,
    rule_code: str | None = None,
    clause: str | None = None,
) -> Select[Obligation]:
    """Select obligations; a filter of None lets all through."""
    query = select(Obligation)
    if state != "all":
        query = query.where(_in_state(state, at))
    wanted = {
        Obligation.office_id: office_id,
        Obligation.responsible_staff_id: responsible_id,
        Obligation.client_id: client_id,
        Obligation.subject_kind: subject_kind,
        Obligation.subject_id: subject_id,
        Obligation.rule_code: rule_code,
        Obligation.clause: clause,
    }
    return query.where(*(column == value for column, value in wanted.items() if value is not None))


def _in_state(state: ObligationFilter, at: datetime) -> Any:
    is_open = Obligation.state == "open"
    match state:
        case "closed":
            return Obligation.state != "open"
        case "overdue":
            return and_(is_open, Obligation.due_at <= at, Obligation.paused_at.is_(None))
        case "soon":
            return and_(is_open, Obligation.soon_at <= at, Obligation.due_at > at)
        case _:
            return is_open


async def counts(
    session: AsyncSession, *, at: datetime, office_id: UUID | None, staff_id: UUID, client_id: UUID | None = None
) -> dict[str, int]:
    """Return the number of open obligations per group, with one query."""
    mine = Obligation.responsible_staff_id == staff_id
    overdue = and_(Obligation.due_at <= at, Obligation.paused_at.is_(None))
    soon = and_(Obligation.soon_at <= at, Obligation.due_at > at)
    query = select(
        func.count().label("open"),
        func.count().filter(soon).label("soon"),
        func.count().filter(overdue).label("overdue"),
        func.count().filter(mine).label("mine"),
        func.count().filter(mine, soon).label("mine_soon"),
        func.count().filter(mine, overdue).label("mine_overdue"),
    ).where(Obligation.state == "open")
    if office_id is not None:
        query = query.where(Obligation.office_id == office_id)
    if client_id is not None:
        query = query.where(Obligation.client_id == client_id)
    return dict((await session.execute(query)).one()._mapping)


async def names(session: AsyncSession, rows: Sequence[Obligation]) -> dict[UUID, str]:
    """Return the names of the offices, clients and responsible people of some obligations, by id."""
    found: dict[UUID, str] = {}
    wanted = (
        (select(Office.office_id, Office.name), Office.office_id, {row.office_id for row in rows}),
        (
            select(StaffMember.staff_id, StaffMember.full_name),
            StaffMember.staff_id,
            {row.responsible_staff_id for row in rows},
        ),
        (select(Client.client_id, Client.full_name), Client.client_id, {row.client_id for row in rows}),
    )
    for query, column, ids in wanted:
        if ids - {None}:
            found.update({row[0]: row[1] for row in (await session.execute(query.where(column.in_(ids)))).all()})
    return found


async def find_obligation(session: AsyncSession, obligation_id: UUID) -> Obligation:
    """Return the obligation.  Raises NotFound."""
    query = select(Obligation).where(Obligation.id == obligation_id)
    found = (await session.execute(query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такой обязанности нет.")
    return found


async def history(session: AsyncSession, obligation_id: UUID) -> Sequence[ObligationHistory]:
    """Return the obligation's history, the oldest entry first."""
    query = select(ObligationHistory).where(ObligationHistory.obligation_id == obligation_id)
    return (await session.execute(query.order_by(ObligationHistory.id))).scalars().all()


async def remarks(session: AsyncSession, obligation_id: UUID) -> Sequence[ObligationRemark]:
    """Return what people said about the obligation, the oldest first."""
    query = select(ObligationRemark).where(ObligationRemark.obligation_id == obligation_id)
    return (await session.execute(query.order_by(ObligationRemark.id))).scalars().all()


async def calendar_is_current(session: AsyncSession, obligation: Obligation) -> bool:
    """Return whether the office still works by the calendar that the deadline was computed with."""
    query = select(Office.calendar_digest).where(Office.office_id == obligation.office_id)
    return (await session.execute(query)).scalar_one_or_none() == obligation.calendar_digest


async def calendar_of(session: AsyncSession, obligation: Obligation) -> WorkingCalendar:
    """Return the calendar that the deadline was computed with."""
    return await _calendar(session, obligation.calendar_digest)


async def _calendar(session: AsyncSession, digest: str) -> WorkingCalendar:
    return WorkingCalendar.model_validate((await session.get_one(Calendar, digest)).body)  # They are never deleted.


async def periods(
    session: AsyncSession, obligation: Obligation, entries: Sequence[ObligationHistory], until: datetime
) -> list[Period]:
    """Return which office's calendar counted when.

    A changed fact counts everything anew by the calendar of that moment.
    """
    superseded = max((index for index, entry in enumerate(entries) if entry.event == "superseded"), default=-1)
    found: list[Period] = []
    begin = obligation.opened_at
    for entry in entries[superseded + 1 :]:
        if entry.event == "transferred":
            moment = min(max(entry.at, begin), until)
            left = await _calendar(session, entry.details["calendar"])
            found.append(Period(begin, moment, left, UUID(entry.details["from"])))
            begin = moment
    return [*found, Period(begin, max(begin, until), await calendar_of(session, obligation), obligation.office_id)]
