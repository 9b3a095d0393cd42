"""Obligations that come by the calendar (RPT-01…06, HR-02, HR-03, CALL-04)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.notifier.clock.defaults import default_rules
from services.notifier.clock.domain.occurrences import occurrence_id, occurrences
from shared.persistence.database import new_id
from shared.vocabulary.worktime import WorkingCalendar, office_week

OFFICE_HOURS = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": office_week()})


RULES = {rule.code: rule for rule in default_rules()}


# Monday the 16th of November 2026, 09:00 in Yekaterinburg, is 04:00 UTC.
MONDAY = datetime(2026, 11, 16, 4, tzinfo=UTC)


@pytest.mark.clause("CALL-04", "K3", "RPT-01", "RPT-02", "RPT-03", "RPT-04")
@pytest.mark.parametrize(
    ("code", "weekdays"),
    [
        ("RPT-01", [2, 5]),
        ("RPT-02", [3]),
        ("RPT-03", [5]),
        ("RPT-04", [5]),
        ("HR-03", [1, 2, 3, 4, 5]),
        ("CALL-04", [1, 2, 3, 4, 5]),
    ],
)
def test_a_weeks_obligations_open_on_their_days_when_work_begins(code: str, weekdays: list[int]) -> None:
    found = list(occurrences(RULES[code], OFFICE_HOURS, MONDAY + timedelta(days=6)))
    this_week = [occasion for occasion in found if occasion.opened_at >= MONDAY]
    assert [occasion.day.isoweekday() for occasion in this_week] == weekdays
    assert {occasion.opened_at.astimezone(OFFICE_HOURS.zone).strftime("%H:%M") for occasion in this_week} == {"09:00"}


@pytest.mark.clause("HR-02", "RPT-05", "RPT-06")
@pytest.mark.parametrize("code", ["HR-02", "RPT-05", "RPT-06"])
def test_a_months_obligation_opens_on_the_first_working_day(code: str) -> None:
    """The 1st of November 2026 is a Sunday."""
    (only,) = occurrences(RULES[code], OFFICE_HOURS, datetime(2026, 11, 5, 12, tzinfo=UTC))
    assert only.opened_at == datetime(2026, 11, 2, 4, tzinfo=UTC)
    assert list(occurrences(RULES[code], OFFICE_HOURS, datetime(2026, 11, 2, 3, tzinfo=UTC))) == []


@pytest.mark.parametrize("year", range(2024, 2029))
@pytest.mark.parametrize("code", ["HR-02", "RPT-05", "RPT-06"])
def test_januarys_obligations_open_after_the_holidays(code: str, year: int) -> None:
    """More than a week after the first of January."""
    body = {"time_zone": "Asia/Yekaterinburg", "weekly": (*office_week()[:5], (), ()), "public_holidays": True}
    hours = WorkingCalendar.model_validate(body)
    opened = {
        (occasion.day, occasion.opened_at.astimezone(hours.zone).date())
        for number in range(1, 29)
        for occasion in occurrences(
            RULES[code].model_copy(update={"effective_from": datetime(2020, 1, 1, tzinfo=UTC)}),
            hours,
            datetime(year, 1, number, 12, tzinfo=UTC),
        )
    }
    [(_, opened_on)] = [found for found in opened if found[0] == date(year, 1, 1)]
    assert 9 <= opened_on.day <= 12


def test_an_occasion_has_one_id_for_every_replica() -> None:
    office = new_id()
    day = MONDAY.date()
    assert occurrence_id(RULES["HR-03"], office, day) == occurrence_id(RULES["HR-03"], office, day)
    assert occurrence_id(RULES["HR-03"], office, day) != occurrence_id(RULES["CALL-04"], office, day)
