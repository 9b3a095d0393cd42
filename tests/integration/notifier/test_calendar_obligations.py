"""Obligations that come by the calendar (RPT-01…06, HR-02, HR-03, CALL-04)."""

from datetime import UTC, datetime

import pytest

from services.notifier.clock.loops import calendar_obligations
from shared.contracts.notifier import CalendarDutyChanged
from shared.identity.roles import Role
from shared.vocabulary.worktime import office_week
from tests.integration.notifier.conftest import World
from tests.support.notifier import calendar


@pytest.mark.clause("HR-03", "RPT-01")
async def test_they_open_once_for_the_office_or_each_manager_and_are_done_by_hand(world: World) -> None:
    await world.with_people()
    petrov = await world.hire("petrov", "manager")
    await world.open_office(version=2, calendar=calendar(weekly=office_week(), version=2))
    # Years ahead, so that nothing fires in the offices of other tests.
    friday = datetime(2030, 11, 22, 6, tzinfo=UTC)
    for _ in range(2):
        async with world.notifier.session() as session:
            await calendar_obligations.open_due(session, friday)
    obligations = await world.obligations()
    today = [obligation for obligation in obligations if obligation.opened_at == datetime(2030, 11, 22, 4, tzinfo=UTC)]
    codes = sorted(obligation.rule_code for obligation in today)
    assert codes == ["CALL-04", "HR-03", "RPT-01", "RPT-01", "RPT-03", "RPT-04"]
    assert {obligation.responsible_staff_id for obligation in today if obligation.rule_code == "RPT-01"} == {
        world.staff["ivanov"],
        petrov,
    }
    check = next(obligation for obligation in today if obligation.rule_code == "HR-03")
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
    happened = [event.happened for event in events]
    assert (happened[0], happened[-1], happened.count("opened"), happened.count("done")) == ("opened", "done", 1, 1)
    assert (events[0].per, events[0].label) == ("office", check.subject_label)


async def test_what_would_be_late_already_is_not_opened(world: World) -> None:
    """After days of downtime no obligation of those days is opened late."""
    await world.with_people()
    await world.open_office(version=2, calendar=calendar(weekly=office_week(), version=2))
    async with world.notifier.session() as session:
        await calendar_obligations.open_due(session, datetime(2030, 11, 22, 6, tzinfo=UTC))
    opened = {obligation.opened_at.date().isoformat() for obligation in await world.obligations(rule_code="HR-03")}
    assert opened == {"2030-11-22"}
