"""An obligation moves to another office: its rest is counted there, its past stays as it was."""

from datetime import timedelta

from services.notifier.clock.domain.waiting import convert_remaining
from shared.base.clock import now
from shared.vocabulary.worktime import WorkingCalendar, add_working_minutes, office_week, working_minutes_between
from tests.support.notifier import EVENINGS


def test_the_rest_is_the_rest() -> None:
    mornings = WorkingCalendar.model_validate(
        {"time_zone": "Europe/Moscow", "weekly": office_week((("09:00", "10:00"),))}
    )
    since = now()
    due = add_working_minutes(mornings, since, 90)
    there = convert_remaining(mornings, EVENINGS, since, due, working=True)
    assert working_minutes_between(EVENINGS, since, there) == 90
    assert convert_remaining(mornings, EVENINGS, since, due, working=False) == due
    assert convert_remaining(mornings, EVENINGS, due, due - timedelta(hours=1), working=True) == due - timedelta(
        hours=1
    )
