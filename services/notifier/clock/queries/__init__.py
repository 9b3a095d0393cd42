"""Reading: obligations, rules, notices, cabinet messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.models.rules import ObligationRemark
from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.domain.waiting import Period
from services.notifier.clock.models import CabinetMessage, Calendar, Client, Notice, NoticeAttachment, NoticeAttempt, Obligation, ObligationHistory, Office, RuleVersion, StaffMember
from services.notifier.clock.store.rule_book import rule_book, rule_of
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
    """Open duties per group, in one query."""
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
    """Names of the offices, clients and responsible people of some obligations."""
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
    """Raises NotFound."""
    query = select(Obligation).where(Obligation.id == obligation_id)
    found = (await session.execute(query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такой обязанности нет.")
    return found


async def history(session: AsyncSession, obligation_id: UUID) -> Sequence[ObligationHistory]:
    query = select(ObligationHistory).where(ObligationHistory.obligation_id == obligation_id)
    return (await session.execute(query.order_by(ObligationHistory.id))).scalars().all()


async def remarks(session: AsyncSession, obligation_id: UUID) -> Sequence[ObligationRemark]:
    query = select(ObligationRemark).where(ObligationRemark.obligation_id == obligation_id)
    return (await session.execute(query.order_by(ObligationRemark.id))).scalars().all()


async def calendar_is_current(session: AsyncSession, obligation: Obligation) -> bool:
    """Whether the office still works by the calendar that the deadline was computed with."""
    query = select(Office.calendar_digest).where(Office.office_id == obligation.office_id)
    return (await session.execute(query)).scalar_one_or_none() == obligation.calendar_digest


async def staff_names(session: AsyncSession, ids: set[UUID]) -> dict[str, str]:
    query = select(StaffMember.staff_id, StaffMember.full_name).where(StaffMember.staff_id.in_(ids))
    return {str(row.staff_id): row.full_name for row in (await session.execute(query)).all()}


async def calendar_of(session: AsyncSession, obligation: Obligation) -> WorkingCalendar:
    """The calendar that the deadline was computed with."""
    return await _calendar(session, obligation.calendar_digest)


async def _calendar(session: AsyncSession, digest: str) -> WorkingCalendar:
    return WorkingCalendar.model_validate((await session.get_one(Calendar, digest)).body)  # They are never deleted.


async def periods(
    session: AsyncSession, obligation: Obligation, entries: Sequence[ObligationHistory], until: datetime
) -> list[Period]:
    """Which office's calendar counted when.  A changed fact counts everything anew by the calendar of that moment."""
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


async def office_names(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    query = select(Office.office_id, Office.name).where(Office.office_id.in_(ids))
    return {row.office_id: row.name for row in (await session.execute(query)).all()}


async def rule_versions(session: AsyncSession, code: str) -> list[RuleVersion]:
    """Newest first.  Raises NotFound."""
    query = select(RuleVersion).where(RuleVersion.code == code).order_by(RuleVersion.version.desc())
    rows = list((await session.execute(query)).scalars())
    if not rows:
        raise NotFound("Такого правила нет.")
    return rows


async def rules(session: AsyncSession, at: datetime) -> list[tuple[RuleVersion, Rule]]:
    """In force now or later, by code."""
    book = await rule_book(session)
    now_in_force = {book.id_of(rule) for rule in book.all_in_force(at)}
    wanted = or_(RuleVersion.id.in_(now_in_force), RuleVersion.effective_from > at)
    rows = (await session.execute(select(RuleVersion).where(wanted))).scalars().all()
    pairs = [(row, rule_of(row)) for row in rows]
    return sorted(pairs, key=lambda pair: (pair[1].code, str(pair[1].office_id or ""), pair[1].version))


def notices(
    *,
    office_id: UUID | None,
    client_id: UUID | None,
    state: str | None,
    channel: str | None,
    obligation_id: UUID | None,
) -> Select[Notice]:
    wanted = {
        Notice.office_id: office_id,
        Notice.client_id: client_id,
        Notice.state: state,
        Notice.channel: channel,
        Notice.obligation_id: obligation_id,
    }
    return select(Notice).where(*(column == value for column, value in wanted.items() if value is not None))


async def find_notice(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> Notice:
    """Raises NotFound."""
    query = select(Notice).where(Notice.id == notice_id)
    found = (await session.execute(query.with_for_update() if lock else query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого уведомления нет.")
    return found


async def attempts(session: AsyncSession, notice_id: UUID) -> Sequence[NoticeAttempt]:
    query = select(NoticeAttempt).where(NoticeAttempt.notice_id == notice_id).order_by(NoticeAttempt.number)
    return (await session.execute(query)).scalars().all()


async def attachment_names(session: AsyncSession, notice_id: UUID) -> list[str]:
    query = select(NoticeAttachment.file_name).where(NoticeAttachment.notice_id == notice_id)
    return list((await session.execute(query.order_by(NoticeAttachment.file_name))).scalars())


async def find_message(session: AsyncSession, message_id: UUID) -> CabinetMessage:
    """Raises NotFound."""
    query = select(CabinetMessage).where(CabinetMessage.id == message_id)
    found = (await session.execute(query)).scalars().one_or_none()
    if found is None:
        raise NotFound("Такого сообщения нет.")
    return found


async def unread(session: AsyncSession, client_id: UUID) -> int:
    query = select(func.count()).select_from(CabinetMessage)
    query = query.where(CabinetMessage.client_id == client_id, CabinetMessage.read_at.is_(None))
    return (await session.execute(query)).scalar_one()
