"""Сроки: «мой день», подробности, объяснение."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response

from services.notifier.clock.domain.labels import EVENTS, HOLDERS, OBLIGATION_STATES, STEP_KINDS, SUBJECTS
from services.notifier.clock.domain.rules import SubjectKind
from services.notifier.clock.domain.waiting import Period, Span, counts_working_time, minutes_by_holder
from services.notifier.clock.models.obligations import Obligation, ObligationHistory, ObligationRemark
from services.notifier.clock.queries import obligations as queries
from services.notifier.clock.queries.explanation import explain
from services.notifier.clock.schemas.obligations import (
    Explanation,
    HistoryEntry,
    HolderMinutes,
    ObligationDetails,
    ObligationOut,
    ObligationPage,
    RemarkOut,
    SpanOut,
    StepOut,
)
from services.notifier.clock.store.rule_book import rule_book
from services.notifier.people import queries as people
from shared.base.clock import now
from shared.identity.roles import LABELS, OFFICE_STAFF, STAFF, Role
from shared.web import Caller, PageRequest, SearchText, Session, allow, paginate, service_router, set_etag

router = service_router("Сроки")

Code = Annotated[SearchText | None, Query(max_length=40)]


@router.get("/obligations", dependencies=[allow(*STAFF)], summary="Мой день: обязанности со сроками")
async def list_obligations(
    session: Session,
    caller: Caller,
    page: PageRequest,
    scope: Annotated[Literal["mine", "office"], Query(description="Мои или всего офиса")] = "office",
    state: Annotated[
        queries.ObligationFilter,
        Query(description="open — все открытые, soon — срок близок, overdue — просрочены, closed, all"),
    ] = "open",
    subject_kind: SubjectKind | None = None,
    subject_id: UUID | None = None,
    client_id: UUID | None = None,
    rule_code: Code = None,
    clause: Code = None,
    office_id: Annotated[UUID | None, Query(description="Для головного офиса")] = None,
) -> ObligationPage:
    """NTF-03: открытые — самый близкий срок сверху; закрытые и все — новые сверху. `counts` — открытые по группам,
    `server_time` — чтобы экран сам отсчитывал время. Сотрудник видит свой офис (ORG-04).
    """
    at = now()
    # The office's own rows are shown anyway; naming the office lets the index serve the order.
    office = caller.office_id if caller.role in OFFICE_STAFF else office_id
    query = queries.obligations(
        state=state,
        at=at,
        office_id=office,
        responsible_id=caller.id if scope == "mine" else None,
        client_id=client_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        rule_code=rule_code,
        clause=clause,
    )
    by_due: tuple[Any, ...] = (Obligation.due_at, Obligation.id)
    key = by_due if state in ("open", "soon", "overdue") else tuple(column.desc() for column in by_due)
    rows, after = await paginate(session, query, page, key=key)
    names = await queries.names(session, rows)
    return ObligationPage(
        items=[_out(row, names, at) for row in rows],
        next=after.next,
        server_time=at,
        counts=await queries.counts(session, at=at, office_id=office, staff_id=caller.id, client_id=client_id),
    )


@router.get("/obligations/{obligation_id}", dependencies=[allow(*STAFF)], summary="Обязанность с историей")
async def show_obligation(obligation_id: UUID, session: Session, response: Response) -> ObligationDetails:
    """NTF-03: шаги лестницы, неизменяемая история, объяснение срока, сколько минут ждали кого."""
    obligation = await queries.find_obligation(session, obligation_id)
    set_etag(response, obligation.version)
    return await details(session, obligation)


async def details(session: Session, obligation: Obligation) -> ObligationDetails:
    at = now()
    names = await queries.names(session, [obligation])
    entries = await queries.history(session, obligation.id)
    remarks = await queries.remarks(session, obligation.id)
    recipient_ids = {UUID(value) for entry in entries for value in entry.details.get("told", [])}
    staff = await people.staff_names(session, recipient_ids | {remark.staff_id for remark in remarks})
    book = await rule_book(session)
    rule = book.by_id[obligation.rule_id]
    spans = [Span.of(span) for span in obligation.spans]
    until_now = await queries.periods(session, obligation, entries, obligation.closed_at or at)
    minutes = minutes_by_holder(until_now, spans, working=counts_working_time(rule))
    until_deadline = await queries.periods(session, obligation, entries, obligation.due_at)
    return ObligationDetails(
        **_out(obligation, names, at).model_dump(),
        server_time=at,
        penalty_points=obligation.penalty_points,
        agreed_due_at=obligation.agreed_due_at,
        acknowledged_by=obligation.acknowledged_by,
        acknowledged_until=obligation.acknowledged_until,
        minutes=[
            HolderMinutes(holder=name, holder_label=HOLDERS[name], minutes=count) for name, count in minutes.items()
        ],
        spans=[SpanOut(**span, holder_label=HOLDERS[span["holder"]]) for span in obligation.spans],
        remarks=[_remark(remark, staff) for remark in remarks],
        calendar_is_current=await queries.calendar_is_current(session, obligation),
        steps=_steps(obligation),
        history=[_entry(entry, staff) for entry in entries],
        explanation=explain(obligation, rule, until_deadline, await _office_names(session, until_deadline), at),
    )


def _remark(remark: ObligationRemark, people: dict[str, str]) -> RemarkOut:
    return RemarkOut(
        event=remark.event,
        event_label=EVENTS[remark.event],
        at=remark.at,
        staff_id=remark.staff_id,
        staff_name=people.get(str(remark.staff_id)),
        text=remark.text,
    )


@router.get(
    "/obligations/{obligation_id}/explanation", dependencies=[allow(*STAFF)], summary="Почему срок именно такой"
)
async def show_explanation(obligation_id: UUID, session: Session) -> Explanation:
    """K5: каждый засчитанный промежуток, обед, выходной и праздник, версии правила и календаря."""
    obligation = await queries.find_obligation(session, obligation_id)
    calendar = await queries.calendar_of(session, obligation)
    return Explanation(
        obligation_id=obligation.id,
        generation=obligation.generation,
        due_at=obligation.due_at,
        rule_code=obligation.rule_code,
        rule_version=obligation.rule_version,
        calendar_version=calendar.version,
        time_zone=calendar.time_zone,
        sentences=await _sentences(session, obligation, now()),
    )


async def _sentences(session: Session, obligation: Obligation, at: datetime) -> list[str]:
    book = await rule_book(session)
    entries = await queries.history(session, obligation.id)
    until_deadline = await queries.periods(session, obligation, entries, obligation.due_at)
    names = await _office_names(session, until_deadline)
    return explain(obligation, book.by_id[obligation.rule_id], until_deadline, names, at)


async def _office_names(session: Session, periods: Sequence[Period]) -> dict[UUID, str]:
    """Return the names of the periods' offices; none are needed where the obligation never moved."""
    ids = {period.office_id for period in periods}
    return await people.office_names(session, ids) if len(periods) > 1 else {}


def _out(row: Obligation, names: dict[UUID, str], at: datetime) -> ObligationOut:
    client_name = names.get(row.client_id) if row.client_id else None
    label = row.subject_label or (client_name if row.subject_kind == "client" else None)
    return ObligationOut(
        id=row.id,
        version=row.version,
        generation=row.generation,
        rule_code=row.rule_code,
        rule_version=row.rule_version,
        clause=row.clause,
        title=row.title,
        office_id=row.office_id,
        office_name=names.get(row.office_id),
        subject_kind=row.subject_kind,
        subject_label=f"{SUBJECTS[row.subject_kind]} {label}" if label else SUBJECTS[row.subject_kind],
        subject_id=row.subject_id,
        client_id=row.client_id,
        client_name=client_name,
        responsible_staff_id=row.responsible_staff_id,
        responsible_name=names.get(row.responsible_staff_id) if row.responsible_staff_id else None,
        state=row.state,
        state_label=OBLIGATION_STATES[row.state],
        opened_at=row.opened_at,
        soon_at=row.soon_at,
        due_at=row.due_at,
        seconds_left=int((row.due_at - at).total_seconds()),
        overdue=row.state == "open" and row.due_at <= at and row.paused_at is None,
        paused_at=row.paused_at,
        waits_for=_waits_for(row),
        warned_at=row.warned_at,
        breached_at=row.breached_at,
        closed_at=row.closed_at,
    )


def _waits_for(row: Obligation) -> Literal["manager", "client", "supplier"] | None:
    if row.state != "open":
        return None
    running = row.spans and row.spans[-1]["ended_at"] is None
    return row.spans[-1]["holder"] if running else "manager"


def _steps(row: Obligation) -> list[StepOut]:
    reached = len(row.schedule) if row.next_step is None and row.state == "open" else row.next_step or 0
    return [
        StepOut(
            level=step["level"],
            kind=step["kind"],
            kind_label=STEP_KINDS[step["kind"]],
            at=step["at"],
            role=step["role"],
            role_label=_role_label(step["role"]),
            action=step["action"],
            fired=index < reached,
        )
        for index, step in enumerate(row.schedule)
    ]


def _entry(entry: ObligationHistory, people: dict[str, str]) -> HistoryEntry:
    role = entry.details.get("role")
    return HistoryEntry(
        event=entry.event,
        event_label=EVENTS[entry.event],
        generation=entry.generation,
        at=entry.at,
        recorded_at=entry.recorded_at,
        role=role,
        role_label=_role_label(role),
        told=[people.get(value, value) for value in entry.details.get("told", [])],
        details=entry.details,
    )


def _role_label(role: str | None) -> str | None:
    return LABELS[Role(role)] if role else None
