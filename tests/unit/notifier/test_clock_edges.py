"""The edges of the clock's parts: events of obligations, days of the calendar, pauses, schedules."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from services.notifier.clock.domain import obligation_events
from services.notifier.clock.domain.obligation import (
    ObligationRecord,
    obligations_as_json,
    obligations_from_json,
    step_moment,
    with_state,
)
from services.notifier.clock.domain.occurrences import (
    LOOK_BACK,
    occurrence_id,
    occurrence_label,
    occurrences,
    occurrences_between,
)
from services.notifier.clock.domain.rules import (
    Every,
    Rule,
)
from services.notifier.clock.domain.schedule import Step, due_of, schedule
from services.notifier.clock.domain.waiting import (
    Period,
    Span,
    after_pause,
    after_pauses,
    clock_stopped_at,
    convert_remaining,
    counts_working_time,
    minutes_by_holder,
    pause_limit_at,
)
from shared.contracts.base import Event
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
)
from tests.support.notifier import calendar
from tests.unit.notifier.test_rules import rule

OFFICE, OTHER_OFFICE = UUID(int=1), UUID(int=2)
ORDER, CLIENT, OTHER_CLIENT = UUID(int=11), UUID(int=21), UUID(int=22)
MANAGER, SENIOR, DIRECTOR, HEAD = (UUID(int=number) for number in range(31, 35))
START = datetime(2026, 3, 16, 4, tzinfo=UTC)  # A Monday, 09:00 in Yekaterinburg.
HOUR = timedelta(hours=1)
ROUND_THE_CLOCK = calendar()
OFFICE_HOURS = calendar(weekly=((("09:00", "18:00"),),) * 5 + ((), ()))


def after(hours: float) -> datetime:
    return START + hours * HOUR


# ── Events of an obligation ──


def record(**changes: Any) -> ObligationRecord:
    fields: dict[str, Any] = {
        "id": UUID(int=5),
        "office_id": OFFICE,
        "version": 3,
        "generation": 2,
        "obligation_kind": "payment_contact",
        "rule_id": UUID(int=6),
        "rule_code": "ORD-04",
        "rule_version": 7,
        "clause": "ORD-04",
        "title": "Связаться",
        "penalty_points": 5,
        "subject_kind": "order",
        "subject_id": ORDER,
        "subject_label": "М45-000001",
        "client_id": CLIENT,
        "responsible_staff_id": MANAGER,
        "calendar_digest": "d",
        "opened_at": after(0),
        "soon_at": after(1),
        "due_at": after(2),
        "warned_at": None,
        "breached_at": None,
        "state": "open",
        "closed_at": None,
        "schedule": [],
        "next_step": None,
        "next_at": None,
    }
    return ObligationRecord(**(fields | changes))


FACTS: dict[str, Any] = {
    "office_id": OFFICE,
    "version": 4,
    "occurred_at": after(3),
    "obligation_id": UUID(int=5),
    "rule_code": "ORD-04",
    "clause": "ORD-04",
    "rule_version": 7,
    "generation": 2,
    "subject_kind": "order",
    "subject_id": ORDER,
    "client_id": CLIENT,
    "responsible_staff_id": MANAGER,
    "opened_at": after(0),
    "due_at": after(2),
}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda known: obligation_events.opened(known, after(3)), ObligationOpened(**FACTS)),
        (lambda known: obligation_events.warned(known, after(3)), ObligationWarned(**FACTS)),
        (
            lambda known: obligation_events.breached(known, after(3)),
            ObligationBreached(**FACTS, breached_at=after(2), penalty_points=5),
        ),
        (
            lambda known: obligation_events.limit_reached(known, "remove_order", after(3)),
            ObligationLimitReached(**FACTS, action="remove_order", reached_at=after(3)),
        ),
        (
            lambda known: obligation_events.closed(known, "done", after(2.5), after(3)),
            ObligationClosed(**FACTS, outcome="done", breached=False, closed_at=after(2.5)),
        ),
    ],
)
def test_every_event_is_a_new_version_with_all_facts(made: Any, expected: Event) -> None:
    known = record()
    assert made(known) == expected
    assert known.version == 4


@pytest.mark.parametrize(
    ("breached_at", "closed_at", "breached"),
    [(None, 3, False), (2, 2, False), (2, 2.1, True), (2, 1.9, False)],
)
def test_what_was_done_in_time_is_not_breached_whatever_was_known_first(
    breached_at: float | None, closed_at: float, breached: bool
) -> None:
    known = record(breached_at=None if breached_at is None else after(breached_at))
    made = obligation_events.closed(known, "done", after(closed_at), after(9))
    assert isinstance(made, ObligationClosed)
    assert made.breached is breached


@pytest.mark.clause("HR-03")
@pytest.mark.parametrize("kind", ["office", "staff"])
def test_a_duty_of_the_calendar_has_events_of_its_own(kind: str) -> None:
    def expected(happened: str, *, breached: bool = False, closed_at: datetime | None = None) -> CalendarDutyChanged:
        facts = {name: value for name, value in FACTS.items() if not name.startswith(("subject", "client"))}
        more = {"happened": happened, "per": kind, "label": "М45-000001", "penalty_points": 5}
        return CalendarDutyChanged.model_validate({**facts, **more, "breached": breached, "closed_at": closed_at})

    def known(**changes: Any) -> ObligationRecord:
        return record(subject_kind=kind, **changes)

    assert obligation_events.opened(known(), after(3)) == expected("opened")
    assert obligation_events.warned(known(), after(3)) == expected("warned")
    late = known(breached_at=after(2))
    assert obligation_events.breached(late, after(3)) == expected("breached", breached=True)
    done = obligation_events.closed(known(), "done", after(1), after(3))
    assert done == expected("done", closed_at=after(1))
    in_time = obligation_events.closed(known(breached_at=after(2)), "cancelled", after(1.9), after(3))
    assert in_time == expected("cancelled", closed_at=after(1.9))
    at_the_moment = obligation_events.closed(known(breached_at=after(2)), "done", after(2), after(3))
    assert at_the_moment == expected("done", breached=True, closed_at=after(2))
    unnamed = obligation_events.opened(known(subject_label=None), after(3))
    assert isinstance(unnamed, CalendarDutyChanged)
    assert unnamed.label == ""


def test_records_survive_their_json() -> None:
    known = record(
        schedule=[{"at": after(1).isoformat(), "label": "письмо"}], spans=[{"holder": "client"}], urgent=True
    )
    text = obligations_as_json([known])
    assert '"duty":"payment_contact"' in text
    assert obligations_from_json(text) == [known]
    assert obligations_from_json(None) == []
    assert ObligationRecord.of(known) == known
    assert step_moment(known.schedule[0]) == after(1)
    assert with_state([known, record(state="done")], "open") == [known]


# ── Days of the calendar ──


def daily(period: str, *days: int, **changes: Any) -> Rule:
    return rule(opens=[], every={"period": period, "days": days}, **changes)


def days_of(found: Any) -> list[date]:
    return [occurrence.day for occurrence in found]


def test_a_daily_duty_opens_on_working_days_of_the_last_week() -> None:
    found = list(occurrences(daily("day"), OFFICE_HOURS, START))
    assert days_of(found) == [date(2026, 3, day) for day in (9, 10, 11, 12, 13, 16)]
    assert [occurrence.opened_at for occurrence in found][-1] == START
    assert days_of(occurrences(daily("day"), OFFICE_HOURS, START - timedelta(seconds=1)))[-1] == date(2026, 3, 13)
    since = daily("day", effective_from=START)
    assert days_of(occurrences(since, OFFICE_HOURS, START)) == [date(2026, 3, 16)]
    later = daily("day", effective_from=START + timedelta(seconds=1))
    assert days_of(occurrences(later, OFFICE_HOURS, START)) == []


def test_a_week_s_duty_on_a_day_off_moves_to_the_next_working_day() -> None:
    before, saturday = occurrences(daily("week", 6), OFFICE_HOURS, START)
    assert (saturday.day, saturday.opened_at) == (date(2026, 3, 14), START)
    # It was opened on Monday the 9th, which is looked back at for a week.
    assert (before.day, before.opened_at) == (date(2026, 3, 7), START - LOOK_BACK)
    assert days_of(occurrences(daily("week", 6), OFFICE_HOURS, after(24))) == [date(2026, 3, 14)]


def test_a_month_s_duty_opens_on_its_day() -> None:
    assert days_of(occurrences(daily("month", 16), OFFICE_HOURS, START)) == [date(2026, 3, 16)]
    assert days_of(occurrences(daily("month", 17), OFFICE_HOURS, START)) == []


def test_a_period_has_every_day_once() -> None:
    month = list(occurrences_between(daily("day"), OFFICE_HOURS, START, START + 4 * LOOK_BACK))
    assert len(month) == 21
    assert days_of(month) == sorted(set(days_of(month)))
    assert month[0].opened_at == START
    assert month[-1].opened_at == START + 4 * LOOK_BACK
    assert list(occurrences_between(daily("day"), OFFICE_HOURS, START, START)) == []
    assert days_of(occurrences_between(daily("day"), OFFICE_HOURS, after(0.1), after(24))) == [date(2026, 3, 17)]


def test_an_occurrence_has_one_id_and_a_name() -> None:
    day = date(2026, 11, 16)
    assert occurrence_id(rule(), OFFICE, day) == uuid5(NAMESPACE_OID, f"payment_contact/{OFFICE}/2026-11-16")
    names = [occurrence_label(Every(period=period), day, "Иванов") for period in ("day", "week", "month")]
    assert names == ["Иванов, день 16.11.2026", "Иванов, неделя 16.11.2026", "Иванов, месяц 16.11.2026"]


# ── Pauses ──


@pytest.mark.parametrize(
    "span",
    [
        Span("client", True, after(0)),
        Span("supplier", False, after(0), after(1)),
        Span("nobody", True, after(0), after(1), after(2)),
    ],
)
def test_a_span_survives_its_row(span: Span) -> None:
    assert Span.of(span.row) == span
    assert set(span.row) == {"holder", "pauses", "began_at", "ended_at", "until"}
    older = {name: value for name, value in span.row.items() if name != "until"}
    assert Span.of(older).until is None


def paused(**limits: Any) -> Rule:
    body = {"longest_pauses": [{"role": None, **limits}]} if limits else {}
    return rule(**body)


def up_to(amount: int, unit: str) -> dict[str, Any]:
    return {"up_to": {"amount": amount, "unit": unit}}


BEFORE = [
    Span("client", True, after(0), after(1)),
    Span("supplier", False, after(1), after(2)),
    Span("nobody", True, after(2), after(3)),
    Span("client", True, after(3)),
]


@pytest.mark.parametrize(
    ("limits", "until"),
    [
        ({}, None),
        (up_to(3, "calendar_hours"), 12),
        (up_to(1, "calendar_hours"), 10),
        (up_to(4500, "seconds"), 10.25),
        (up_to(90, "working_minutes"), 24.5),
        (up_to(60, "working_minutes"), 10),
        (up_to(30, "working_minutes"), 10),
    ],
)
def test_a_pause_ends_when_the_limit_is_used_up(limits: dict[str, Any], until: float | None) -> None:
    # 10 hours after the start the office has closed; the first pause of an hour is used up already.
    found = pause_limit_at(paused(**limits), None, OFFICE_HOURS, BEFORE, after(10))
    assert found == (None if until is None else after(until))


def test_a_role_without_a_limit_of_its_own_has_that_of_all() -> None:
    both = rule(
        longest_pauses=[{"role": "manager", **up_to(2, "calendar_hours")}, {"role": None, **up_to(5, "calendar_hours")}]
    )
    found = {role: pause_limit_at(both, role, OFFICE_HOURS, [], START) for role in ("manager", "director", None)}
    assert found == {"manager": after(2), "director": after(5), None: after(5)}


@pytest.mark.parametrize(
    ("moment", "began", "ended", "working", "due"),
    [
        (2, 1, 4, False, 5),
        (1, 1, 4, False, 1),
        (2, 4, 4, False, 2),
        (2, 1, 1, False, 2),
        (2, 1, 4, True, 5),
        (2, 1, 9, True, 25),
        (2, 1, 12, True, 25),
        (9, 8, 12, False, 13),
    ],
)
def test_what_was_left_when_the_clock_stopped_is_left_when_it_goes_on(
    moment: float, began: float, ended: float, working: bool, due: float
) -> None:
    found = after_pause(OFFICE_HOURS, after(moment), after(began), after(ended), working=working)
    assert found == after(due)
    spans = [Span("client", True, after(began), after(ended)), Span("client", False, after(0), after(9))]
    assert after_pauses(OFFICE_HOURS, after(moment), [*spans, Span("client", True, after(0))], working=working) == found


def test_what_is_left_moves_to_another_calendar() -> None:
    late = calendar(weekly=((("12:00", "18:00"),),) * 7)
    assert convert_remaining(OFFICE_HOURS, late, START, after(1), working=True) == after(4)
    assert convert_remaining(OFFICE_HOURS, late, START, after(1), working=False) == after(1)
    assert convert_remaining(OFFICE_HOURS, late, START, START, working=True) == START


@pytest.mark.parametrize(
    ("last", "stopped"),
    [
        (None, 5),
        (Span("client", True, after(3), after(5)), 3),
        (Span("client", True, after(3), after(4)), 5),
        (Span("client", False, after(3), after(5)), 5),
        (Span("nobody", True, after(3), after(5)), 5),
    ],
)
def test_a_closed_clock_stopped_with_its_last_pause(last: Span | None, stopped: float) -> None:
    spans = [] if last is None else [Span("client", True, after(0), after(1)), last]
    assert clock_stopped_at(spans, after(5)) == after(stopped)


def test_waiting_is_counted_for_each_holder() -> None:
    spans = [
        Span("client", True, after(1), after(2)),
        Span("supplier", False, after(2), after(2.5)),
        Span("nobody", True, after(3), after(4)),
        Span("client", False, after(8)),
    ]
    calendar_time = minutes_by_holder([Period(START, after(10), OFFICE_HOURS, OFFICE)], spans, working=False)
    assert calendar_time == {"manager": 330, "client": 180, "supplier": 30}
    working_time = minutes_by_holder([Period(START, after(10), OFFICE_HOURS, OFFICE)], spans, working=True)
    assert working_time == {"manager": 330, "client": 120, "supplier": 30}
    parts = [Period(START, after(1.5), OFFICE_HOURS, OFFICE), Period(after(1.5), after(10), OFFICE_HOURS, OTHER_OFFICE)]
    assert minutes_by_holder(parts, spans, working=True) == working_time
    assert minutes_by_holder([Period(after(3), after(3), OFFICE_HOURS, OFFICE)], spans, working=True) == {
        "manager": 0,
        "client": 0,
        "supplier": 0,
    }
    almost = [Period(START, START + timedelta(seconds=119), ROUND_THE_CLOCK, OFFICE)]
    assert minutes_by_holder(almost, [], working=False)["manager"] == 1


def test_only_a_duration_of_working_time_counts_working_time() -> None:
    def counted(unit: str, **changes: Any) -> bool:
        return counts_working_time(rule(duration={"amount": 1, "unit": unit}, **changes))

    assert counted("working_minutes")
    assert counted("working_days")
    assert not counted("calendar_hours")
    assert not counted("working_minutes", until="disable_at")


# ── Schedule ──


def test_a_promised_deadline_is_never_before_the_opening() -> None:
    promised = rule(until="disable_at")
    facts = {"disable_at": "2026-03-16T12:00:00+05:00"}
    assert due_of(promised, ROUND_THE_CLOCK, START, facts) == after(3)
    assert due_of(promised, ROUND_THE_CLOCK, after(4), facts) == after(4)
    assert due_of(promised, ROUND_THE_CLOCK, START, {}) == START + timedelta(minutes=40)
    assert due_of(rule(), ROUND_THE_CLOCK, START, facts) == START + timedelta(minutes=40)


STEPS = {
    "duration": {"amount": 10, "unit": "calendar_hours"},
    "warnings": [{"share": 50, "role": "manager"}, {"share": 80, "role": None}],
    "ladder": [
        {"role": "manager", "after": {"amount": 0, "unit": "calendar_hours"}},
        {"role": "director", "after": {"amount": 2, "unit": "calendar_hours"}},
    ],
    "limit": {"action": "remove_order", "after": {"amount": 2, "unit": "calendar_hours"}},
}


def test_the_steps_of_a_schedule_and_their_rows() -> None:
    plan = schedule(rule(**STEPS), ROUND_THE_CLOCK, START, {})
    assert plan.steps == (
        Step(1, "warning", after(5), "manager"),
        Step(2, "warning", after(8)),
        Step(3, "breach", after(10), "manager"),
        Step(4, "limit", after(12), None, "remove_order"),
        Step(5, "escalation", after(12), "director"),
    )
    assert plan.soon_at == after(5)
    at = after(12).isoformat()
    assert plan.rows[3] == {"level": 4, "kind": "limit", "at": at, "role": None, "action": "remove_order"}
    assert plan.rows[4] == {"level": 5, "kind": "escalation", "at": at, "role": "director", "action": None}
    assert schedule(rule(**(STEPS | {"warnings": []})), ROUND_THE_CLOCK, START, {}).soon_at == after(10)


def test_without_a_level_at_the_deadline_nobody_is_written_to_then() -> None:
    ladder = [{"role": "director", "after": {"amount": 2, "unit": "calendar_hours"}}]
    plan = schedule(rule(**(STEPS | {"ladder": ladder, "limit": None, "warnings": []})), ROUND_THE_CLOCK, START, {})
    assert plan.steps == (Step(1, "breach", after(10)), Step(2, "escalation", after(12), "director"))
    at_once = {"action": "remove_order", "after": {"amount": 0, "unit": "working_minutes"}}
    limited = schedule(rule(**(STEPS | {"limit": at_once, "warnings": []})), OFFICE_HOURS, START, {})
    assert [(step.kind, step.at) for step in limited.steps[:2]] == [("breach", after(10)), ("limit", after(10))]


def test_an_agreed_deadline_counts_only_when_it_is_later() -> None:
    def due(**changes: Any) -> datetime:
        return schedule(rule(**STEPS), ROUND_THE_CLOCK, START, {}, **changes).due_at

    spans = [Span("client", True, after(1), after(4))]
    assert due() == after(10)
    assert due(spans=spans) == after(13)
    assert due(agreed=after(11)) == after(11)
    assert due(agreed=after(9)) == after(10)
    assert due(agreed=after(12), spans=spans) == after(13)
    assert due(agreed=after(14), spans=spans) == after(14)
    assert due(exactly=after(3), spans=spans, agreed=after(14)) == after(3)
