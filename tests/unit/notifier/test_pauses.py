"""Pauses and reopenings against counting minute by minute."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.clock.commands.obligations import close, open_obligation
from services.notifier.clock.commands.waiting import change_holder, resume_after_reopening
from services.notifier.clock.domain.obligation import ObligationRecord, step_moment
from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.domain.schedule import schedule
from services.notifier.clock.domain.waiting import Period, Span, minutes_by_holder
from services.notifier.clock.store.unit_of_work import UnitOfWork
from shared.vocabulary.worktime import WorkingCalendar, office_week, working_minutes_between
from tests.unit.notifier.test_rules import rule
from tests.unit.vocabulary.test_worktime_against_oracle import WINDOW_DAYS, Case, cases
from tests.unit.vocabulary.worktime_oracle import MINUTE

PAUSES_PER_CALENDAR = 100
LIVES_PER_CALENDAR = 25


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(case=cases(), seed=st.integers(0, 2**32))
def test_a_deadline_with_pauses_agrees_with_counting_minute_by_minute(case: Case, seed: int) -> None:
    calendar, oracle, random = case.calendar, case.oracle, Random(seed)
    for _ in range(PAUSES_PER_CALENDAR):
        edges = sorted(random.sample(range(WINDOW_DAYS * 24 * 60), 5))
        opened, *rest = (case.first + edge * MINUTE for edge in edges)
        spans = list(zip(rest[::2], rest[1::2], strict=True))
        minutes = random.choice([1, 20, 120, random.randrange(1, 2_000)])
        expected = oracle.add_with_pauses(opened, spans, minutes)
        if expected is None:
            continue
        obligation = rule(duration={"amount": minutes, "unit": "working_minutes"})
        paused = [Span("client", True, began, ended) for began, ended in spans]
        plan = schedule(obligation, calendar, opened, {}, spans=paused)
        assert plan.due_at == expected, case
        shares = minutes_by_holder([Period(opened, plan.due_at, calendar, uuid4())], paused, working=True)
        assert shares["manager"] == minutes, case
        assert sum(shares.values()) == int(working_minutes_between(calendar, opened, plan.due_at)), case


def opened_obligation(obligation_rule: Rule, calendar: WorkingCalendar, opened_at: datetime) -> ObligationRecord:
    plan = schedule(obligation_rule, calendar, opened_at, {})
    return open_obligation(
        UnitOfWork(),
        obligation_rule,
        uuid4(),
        plan,
        opened_at,
        office_id=uuid4(),
        calendar_digest="",
        subject=("order", uuid4(), None),
        client_id=None,
        responsible_id=None,
        at=opened_at,
    )


def live_through(
    obligation: ObligationRecord,
    obligation_rule: Rule,
    calendar: WorkingCalendar,
    stops: Sequence[tuple[datetime, datetime]],
    random: Random,
) -> None:
    """Each stop is a wait for the client or for the supplier, a closing by mistake and its reopening, or both."""
    for began, ended in stops:
        holder: Any = random.choice(("client", "supplier", "closed while it waited", None))
        if holder == "closed while it waited":
            closed_at = began + random.randrange(1, 1 + max(1, (ended - began) // MINUTE - 1)) * MINUTE
            assert change_holder(UnitOfWork(), obligation, obligation_rule, calendar, "client", began, at=began)
            close(UnitOfWork(), obligation, "done", min(closed_at, ended), at=began)
            resume_after_reopening(UnitOfWork(), obligation, obligation_rule, calendar, at=ended)
        elif holder is None:
            close(UnitOfWork(), obligation, "done", began, at=began)
            resume_after_reopening(UnitOfWork(), obligation, obligation_rule, calendar, at=ended)
        else:
            assert change_holder(UnitOfWork(), obligation, obligation_rule, calendar, holder, began, at=began)
            assert change_holder(UnitOfWork(), obligation, obligation_rule, calendar, None, ended, at=ended)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(case=cases(), seed=st.integers(0, 2**32))
def test_pauses_and_reopenings_one_after_another_agree_with_counting_minute_by_minute(case: Case, seed: int) -> None:
    """The whole ladder, as the commands move it step by step: what was left when the clock stopped is left after it."""
    calendar, oracle, random = case.calendar, case.oracle, Random(seed)
    for _ in range(LIVES_PER_CALENDAR):
        minutes = 2 * random.randrange(1, 800)
        obligation_rule = rule(
            duration={"amount": minutes, "unit": "working_minutes"},
            warnings=[{"share": 50}],
            ladder=ladder_after(0, 20, 60),
            pauses_for=["client", "supplier"],
        )
        edges = sorted(random.sample(range(WINDOW_DAYS * 24 * 60), 7))
        opened, *rest = (case.first + edge * MINUTE for edge in edges)
        stops = list(zip(rest[::2], rest[1::2], strict=True))
        expected = [oracle.add_with_pauses(opened, stops, minutes + more) for more in (-minutes // 2, 0, 20, 60)]
        if expected[-1] is None:
            continue
        obligation = opened_obligation(obligation_rule, calendar, opened)
        live_through(obligation, obligation_rule, calendar, stops, random)
        assert [step_moment(step) for step in obligation.schedule] == expected, case
        # An obligation that was closed after its deadline stays breached; its deadline was never in the future again.
        assert obligation.due_at == expected[1], case


@given(
    pauses=st.lists(st.integers(0, 5_000), min_size=4, max_size=4, unique=True).map(sorted),
    hours=st.integers(1, 72),
)
def test_calendar_hours_are_longer_by_exactly_the_pauses(pauses: list[int], hours: int) -> None:
    opened = datetime(2026, 11, 23, 6, tzinfo=UTC)
    calendar = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": office_week()})
    moments = [opened + minute * MINUTE for minute in pauses]
    spans = [Span("client", True, moments[0], moments[1]), Span("supplier", True, moments[2], moments[3])]
    obligation = rule(duration={"amount": hours, "unit": "calendar_hours"})
    due = opened + timedelta(hours=hours)
    for span in spans:
        if span.began_at < due and span.ended_at is not None:
            due += span.ended_at - span.began_at
    assert schedule(obligation, calendar, opened, {}, spans=spans).due_at == due


# ── Mistakes of others, each a test of ours; those that need the service stand in test_engine, _handling, _telling ──

WEEK = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": office_week()})


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=WEEK.zone).astimezone(UTC)


def ladder_after(*minutes: int) -> list[dict[str, object]]:
    roles = ("manager", "senior_manager", "director", "head_office")
    return [
        {"role": role, "after": {"amount": amount, "unit": "working_minutes"}}
        for role, amount in zip(roles, minutes, strict=False)
    ]


def test_nothing_escalates_at_midnight_across_a_gap_of_the_calendar() -> None:
    """GLPI escalates at midnight when the deadline and the next level lie on two sides of a closed day."""
    obligation = rule(duration={"amount": 20, "unit": "working_minutes"}, ladder=ladder_after(0, 20))
    plan = schedule(obligation, WEEK, local(27, 17, 50), {})
    breach, level = plan.steps
    assert (breach.at, level.at) == (local(30, 9, 10), local(30, 9, 30))


def test_lunch_is_not_working_time() -> None:
    """Chatwoot and osTicket forget it."""
    obligation = rule(duration={"amount": 30, "unit": "working_minutes"})
    assert schedule(obligation, WEEK, local(23, 12, 50), {}).due_at == local(23, 14, 20)


def test_paused_time_survives_another_rule() -> None:
    """GLPI loses it when the rule changes."""
    span = Span("client", True, local(23, 10), local(23, 11))
    for amount, expected in ((30, local(23, 10, 30) + timedelta(hours=1)), (120, local(23, 12))):
        obligation = rule(duration={"amount": amount, "unit": "working_minutes"})
        opened = local(23, 10) if amount == 30 else local(23, 9)
        assert schedule(obligation, WEEK, opened, {}, spans=[span]).due_at == expected


def test_there_are_as_many_warnings_and_levels_as_the_rule_says() -> None:
    """Zammad reminds once; most others know one warning and one level."""
    obligation = rule(
        duration={"amount": 60, "unit": "working_minutes"},
        warnings=[{"share": 25}, {"share": 50}, {"share": 90}],
        ladder=ladder_after(0, 10, 20, 30),
    )
    plan = schedule(obligation, WEEK, local(23, 9), {})
    assert [step.kind for step in plan.steps] == ["warning"] * 3 + ["breach"] + ["escalation"] * 3
