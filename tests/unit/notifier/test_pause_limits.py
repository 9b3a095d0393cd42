"""A pause is no way out: the clock goes on by itself when the rule's limit for the role is used up."""

from datetime import timedelta

import pytest

from services.notifier.clock.domain.waiting import Span, pause_limit_at
from shared.vocabulary.worktime import WorkingCalendar, add_working_minutes, office_week
from tests.unit.notifier.test_rules import rule, texts
from tests.unit.vocabulary.worktime_oracle import utc

WEEK = WorkingCalendar.model_validate({"time_zone": "UTC", "weekly": office_week()})


MONDAY = utc(2026, 11, 23, 9)


def pauses(*minutes: int) -> list[Span]:
    begins = [MONDAY + timedelta(hours=number) for number in range(len(minutes))]
    return [
        Span("client", True, one, one + timedelta(minutes=length)) for one, length in zip(begins, minutes, strict=True)
    ]


@pytest.mark.parametrize(
    ("role", "before", "left"),
    [
        ("manager", (), 60),
        ("manager", (20, 30), 10),
        ("manager", (50, 40), 0),
        ("director", (20,), 100),
        (None, (), 120),
    ],
)
def test_pauses_count_together_in_working_time(role: str | None, before: tuple[int, ...], left: int) -> None:
    amounts = [{"up_to": {"amount": 120, "unit": "working_minutes"}}]
    amounts.append({"role": "manager", "up_to": {"amount": 60, "unit": "working_minutes"}})  # type: ignore[dict-item]
    since = MONDAY + timedelta(hours=2, minutes=30)
    found = pause_limit_at(rule(longest_pauses=amounts), role, WEEK, pauses(*before), since)
    assert found == add_working_minutes(WEEK, since, left)


def test_without_a_limit_there_is_none_and_reopenings_use_up_nothing() -> None:
    assert pause_limit_at(rule(), "manager", WEEK, pauses(500), MONDAY) is None
    closed = Span("nobody", True, MONDAY, MONDAY + timedelta(hours=5))
    hour = rule(longest_pauses=[{"up_to": {"amount": 1, "unit": "calendar_hours"}}])
    later = MONDAY + timedelta(hours=6)
    assert pause_limit_at(hour, "manager", WEEK, [closed], later) == later + timedelta(hours=1)


def test_the_check_refuses_limits_that_cannot_be_counted() -> None:
    days = {"up_to": {"amount": 2, "unit": "working_days"}}
    assert "Предел паузы" in " ".join(texts(rule(longest_pauses=[days])))
    hours = {"up_to": {"amount": 2, "unit": "calendar_hours"}}
    assert "один предел" in " ".join(texts(rule(longest_pauses=[hours, hours])))
