"""Pauses and reopenings against counting minute by minute."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.domain.schedule import schedule
from services.notifier.domain.waiting import Span, minutes_by_holder
from shared.worktime import WorkingCalendar, office_week, working_minutes_between
from tests.notifier.test_rules import rule
from tests.worktime.oracle import MINUTE, Hours, Oracle
from tests.worktime.test_against_oracle import WINDOW_DAYS, cases

PAUSES_PER_CALENDAR = 40


def counted(
    oracle: Oracle, opened: datetime, spans: Sequence[tuple[datetime, datetime]], minutes: int
) -> datetime | None:
    """Minute after minute: one counts when the office works and the duty waits for nobody else."""
    stopped = {index for began, ended in spans for index in range(oracle.index(began), oracle.index(ended))}
    index = oracle.index(opened)
    while index < len(oracle.working):
        if oracle.working[index] and index not in stopped:
            minutes -= 1
            if minutes == 0:
                return oracle.instant(index + 1)
        index += 1
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(case=cases(), seed=st.integers(0, 2**32))
def test_a_deadline_with_pauses_agrees_with_counting_minute_by_minute(
    case: tuple[str, Sequence[Hours], dict[date, Hours], datetime], seed: int
) -> None:
    zone, weekly, exceptions, first = case
    calendar = WorkingCalendar.model_validate({"time_zone": zone, "weekly": weekly, "exceptions": exceptions})
    oracle = Oracle(zone, weekly, exceptions, first, first + timedelta(days=WINDOW_DAYS))
    random = Random(seed)
    for _ in range(PAUSES_PER_CALENDAR):
        edges = sorted(random.sample(range(WINDOW_DAYS * 24 * 60), 5))
        opened, *rest = (first + edge * MINUTE for edge in edges)
        spans = list(zip(rest[::2], rest[1::2], strict=True))
        minutes = random.choice([1, 20, 120, random.randrange(1, 2_000)])
        expected = counted(oracle, opened, spans, minutes)
        if expected is None:
            continue
        duty = rule(duration={"amount": minutes, "unit": "working_minutes"})
        paused = [Span("client", True, began, ended) for began, ended in spans]
        plan = schedule(duty, calendar, opened, {}, spans=paused)
        assert plan.due_at == expected
        shares = minutes_by_holder(calendar, opened, plan.due_at, paused, working=True)
        assert shares["manager"] == minutes
        assert sum(shares.values()) == int(working_minutes_between(calendar, opened, plan.due_at))


@given(
    pauses=st.lists(st.integers(0, 5_000), min_size=4, max_size=4, unique=True).map(sorted),
    hours=st.integers(1, 72),
)
def test_calendar_hours_are_longer_by_exactly_the_pauses(pauses: list[int], hours: int) -> None:
    opened = datetime(2026, 11, 23, 6, tzinfo=UTC)
    calendar = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": office_week()})
    moments = [opened + minute * MINUTE for minute in pauses]
    spans = [Span("client", True, moments[0], moments[1]), Span("supplier", True, moments[2], moments[3])]
    duty = rule(duration={"amount": hours, "unit": "calendar_hours"})
    due = opened + timedelta(hours=hours)
    for span in spans:
        if span.began_at < due and span.ended_at is not None:
            due += span.ended_at - span.began_at
    assert schedule(duty, calendar, opened, {}, spans=spans).due_at == due


# ── Mistakes of others, each a test of ours ──

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
    duty = rule(duration={"amount": 20, "unit": "working_minutes"}, ladder=ladder_after(0, 20))
    plan = schedule(duty, WEEK, local(27, 17, 50), {})
    breach, level = plan.steps
    assert (breach.at, level.at) == (local(30, 9, 10), local(30, 9, 30))


def test_lunch_is_not_working_time() -> None:
    """osTicket and Chatwoot forget it."""
    duty = rule(duration={"amount": 30, "unit": "working_minutes"})
    assert schedule(duty, WEEK, local(23, 12, 50), {}).due_at == local(23, 14, 20)


def test_paused_time_survives_another_rule() -> None:
    """GLPI loses it."""
    span = Span("client", True, local(23, 10), local(23, 11))
    for amount, expected in ((30, local(23, 10, 30) + timedelta(hours=1)), (120, local(23, 12))):
        duty = rule(duration={"amount": amount, "unit": "working_minutes"})
        opened = local(23, 10) if amount == 30 else local(23, 9)
        assert schedule(duty, WEEK, opened, {}, spans=[span]).due_at == expected


def test_there_are_as_many_warnings_and_levels_as_the_rule_says() -> None:
    """Zammad reminds once; most know one warning and one level."""
    duty = rule(
        duration={"amount": 60, "unit": "working_minutes"},
        warnings=[{"share": 25}, {"share": 50}, {"share": 90}],
        ladder=ladder_after(0, 10, 20, 30),
    )
    plan = schedule(duty, WEEK, local(23, 9), {})
    assert [step.kind for step in plan.steps] == ["warning"] * 3 + ["breach"] + ["escalation"] * 3
