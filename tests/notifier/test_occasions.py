"""Duties that come by the calendar (RPT-01…06, HR-02, HR-03, CALL-04)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.notifier import calendar_duties
from services.notifier.domain.occasions import occasion_id, occasions
from services.notifier.rules import default_rules
from shared.contracts.notifier import CalendarDutyChanged
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.vocabulary.worktime import WorkingCalendar, office_week
from tests.notifier.conftest import World, calendar

OFFICE_HOURS = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": office_week()})
RULES = {rule.code: rule for rule in default_rules()}
# Monday the 16th of November 2026, 09:00 in Yekaterinburg, is 04:00 UTC.
MONDAY = datetime(2026, 11, 16, 4, tzinfo=UTC)


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
def test_a_weeks_duties_open_on_their_days_when_work_begins(code: str, weekdays: list[int]) -> None:
    found = list(occasions(RULES[code], OFFICE_HOURS, MONDAY + timedelta(days=6)))
    this_week = [occasion for occasion in found if occasion.opened_at >= MONDAY]
    assert [occasion.day.isoweekday() for occasion in this_week] == weekdays
    assert {occasion.opened_at.astimezone(OFFICE_HOURS.zone).strftime("%H:%M") for occasion in this_week} == {"09:00"}


@pytest.mark.parametrize("code", ["HR-02", "RPT-05", "RPT-06"])
def test_a_months_duty_opens_on_the_first_working_day(code: str) -> None:
    """The 1st of November 2026 is a Sunday."""
    (only,) = occasions(RULES[code], OFFICE_HOURS, datetime(2026, 11, 5, 12, tzinfo=UTC))
    assert only.opened_at == datetime(2026, 11, 2, 4, tzinfo=UTC)
    assert list(occasions(RULES[code], OFFICE_HOURS, datetime(2026, 11, 2, 3, tzinfo=UTC))) == []


@pytest.mark.parametrize("year", range(2024, 2029))
@pytest.mark.parametrize("code", ["HR-02", "RPT-05", "RPT-06"])
def test_januarys_duties_open_after_the_holidays(code: str, year: int) -> None:
    """More than a week after the first of January."""
    body = {"time_zone": "Asia/Yekaterinburg", "weekly": (*office_week()[:5], (), ()), "public_holidays": True}
    hours = WorkingCalendar.model_validate(body)
    opened = {
        (occasion.day, occasion.opened_at.astimezone(hours.zone).date())
        for number in range(1, 29)
        for occasion in occasions(
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
    assert occasion_id(RULES["HR-03"], office, day) == occasion_id(RULES["HR-03"], office, day)
    assert occasion_id(RULES["HR-03"], office, day) != occasion_id(RULES["CALL-04"], office, day)


async def test_they_open_once_for_the_office_or_each_manager_and_are_done_by_hand(world: World) -> None:
    await world.with_people()
    petrov = await world.hire("petrov", "manager")
    await world.open_office(version=2, calendar=calendar(weekly=office_week(), version=2))
    # Years ahead, so that nothing fires in the offices of other tests.
    friday = datetime(2030, 11, 22, 6, tzinfo=UTC)
    for _ in range(2):
        async with world.notifier.session() as session:
            await calendar_duties.open_due(session, friday)
    duties = await world.obligations()
    today = [duty for duty in duties if duty.opened_at == datetime(2030, 11, 22, 4, tzinfo=UTC)]
    codes = sorted(duty.rule_code for duty in today)
    assert codes == ["CALL-04", "HR-03", "RPT-01", "RPT-01", "RPT-03", "RPT-04"]
    assert {duty.responsible_staff_id for duty in today if duty.rule_code == "RPT-01"} == {
        world.staff["ivanov"],
        petrov,
    }
    check = next(duty for duty in today if duty.rule_code == "HR-03")
    assert check.responsible_staff_id == world.staff["senior"]
    assert check.due_at == datetime(2030, 11, 25, 4, tzinfo=UTC)
    assert check.subject_label == "ПроДеталь-Мира 45, день 22.11.2030"

    async with world.staff_http() as http:
        assert (await http.post(f"/obligations/{check.id}/completion", json={})).status_code == 403
    async with world.staff_http(Role.SENIOR_MANAGER, "senior") as http:
        done = await http.post(f"/obligations/{check.id}/completion", json={"comment": "Ошибок нет"})
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["remarks"][0]["text"]) == ("done", "Ошибок нет")
    events = await world.notifier.published(CalendarDutyChanged, obligation_id=check.id)
    told = [event.happened for event in events]
    assert (told[0], told[-1], told.count("opened"), told.count("done")) == ("opened", "done", 1, 1)
    assert (events[0].per, events[0].label) == ("office", check.subject_label)


async def test_what_would_be_late_already_is_not_opened(world: World) -> None:
    """A service that stood still for days blames nobody for them."""
    await world.with_people()
    await world.open_office(version=2, calendar=calendar(weekly=office_week(), version=2))
    async with world.notifier.session() as session:
        await calendar_duties.open_due(session, datetime(2030, 11, 22, 6, tzinfo=UTC))
    opened = {duty.opened_at.date().isoformat() for duty in await world.obligations(rule_code="HR-03")}
    assert opened == {"2030-11-22"}
