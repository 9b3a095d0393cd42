"""Who is notified, when, and in how many letters."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from services.notifier.clock.loops import engine
from services.notifier.clock.models.obligations import Obligation
from services.notifier.delivery.models.notices import Notice
from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import ladder, seconds
from tests.integration.notifier.test_delivery import ended
from tests.integration.notifier.test_engine import fast_contact, levels, until
from tests.support.engine_gate import engine_gate
from tests.support.notifier import calendar, minutes

WINDOW = timedelta(minutes=5)


async def letters_to(world: World, who: str) -> list[Notice]:
    async with world.notifier.session() as session:
        query = select(Notice).where(Notice.staff_id == world.staff[who]).order_by(Notice.created_at, Notice.id)
        return list((await session.execute(query)).scalars())


async def storm(world: World, number: int, **values: Any) -> list[UUID]:
    """So many breaches of one manager's obligations at one moment, fired in this test with a window of five minutes."""
    pattern = await world.obligation(await world.place(), "ORD-04")
    ids = [new_id() for _ in range(number)]
    step = [{"level": 1, "kind": "breach", "at": now().isoformat(), "role": "manager", "action": None}]
    columns = [attribute.key for attribute in Obligation.__mapper__.column_attrs]
    async with world.notifier.session() as session:
        for obligation_id in ids:
            row = {name: getattr(pattern, name) for name in columns}
            row |= {"id": obligation_id, "subject_id": new_id(), "client_id": None, "due_at": now(), "schedule": step}
            # Out of the running engine's sight: it is this test that fires them.
            session.add(Obligation(**{**row, "next_step": 0, "next_at": None, **values}))
    return ids


async def fire(world: World, ids: list[UUID]) -> None:
    """Fires the obligations here, with the window of this test, while the service's own engine is held back."""
    async with engine_gate.closed():
        await make_due(world, ids)
        await engine.fire_due(world.notifier.app.state.database, limit=10_000, window=WINDOW)


async def make_due(world: World, ids: list[UUID]) -> None:
    async with world.notifier.app.state.database.worker() as session:
        await session.execute(update(Obligation).where(Obligation.id.in_(ids)).values(next_at=text("now()")))


async def test_a_storm_becomes_one_digest_per_person_and_five_minutes(world: World) -> None:
    await world.with_people()
    await world.register()
    await fire(world, await storm(world, 40))
    (digest,) = await letters_to(world, "ivanov")
    assert (digest.template, digest.context["count"] if digest.context else 0) == ("digest", 40)
    await fire(world, await storm(world, 30))
    await fire(world, await storm(world, 30))
    first, second = await letters_to(world, "ivanov")
    assert second.next_attempt_at - first.next_attempt_at == WINDOW
    assert second.context is not None
    assert (second.context["count"], len(second.context["items"])) == (60, 60)
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("ivanov"))
    assert mail.subject == "Сроки: нарушено 40"
    assert (mail.text or "").count("[ORD-04]") == 40


@pytest.mark.parametrize("breaches", [61, 75])
async def test_a_digest_lists_sixty_obligations_and_counts_the_rest(world: World, breaches: int) -> None:
    await world.with_people()
    await world.register()
    await fire(world, await storm(world, breaches))
    (digest,) = await letters_to(world, "ivanov")
    assert digest.context is not None
    assert (digest.context["count"], len(digest.context["items"])) == (breaches, 60)
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("ivanov"))
    assert (mail.text or "").count("[ORD-04]") == 60
    assert f"И ещё {breaches - 60} шаг" in (mail.text or "")


async def test_a_waiting_digest_grows_to_sixty_obligations_and_counts_the_rest(world: World) -> None:
    await world.with_people()
    await world.register()
    await fire(world, await storm(world, 1))
    await fire(world, await storm(world, 40))
    await fire(world, await storm(world, 21))
    _, digest = await letters_to(world, "ivanov")
    assert digest.context is not None
    assert (digest.context["count"], len(digest.context["items"])) == (61, 60)


@pytest.mark.parametrize(("ago", "later"), [(90, 30), (119, 1), (121, 0)])
async def test_a_wish_for_one_letter_in_two_hours_is_kept(world: World, ago: int, later: int) -> None:
    """With the last letter 90 minutes ago the next one goes out in 30 minutes."""
    await world.with_people()
    await world.register()
    async with world.staff_http() as http:
        assert (await http.put("/telling-preferences", json={"digest_minutes": 120})).status_code == 200
    await fire(world, await storm(world, 1))
    (former,) = await letters_to(world, "ivanov")
    await ended(world, former.id, "sent")
    former_at = now() - minutes(ago)
    async with world.notifier.session() as session:
        await session.execute(update(Notice).where(Notice.id == former.id).values(next_attempt_at=former_at))
    before = now()
    await fire(world, await storm(world, 1))
    (letter,) = [letter for letter in await letters_to(world, "ivanov") if letter.id != former.id]
    if later:
        assert letter.next_attempt_at == former_at + minutes(120)
    else:
        assert before - minutes(1) < letter.next_attempt_at < before + minutes(1)


async def test_a_wish_for_rare_letters_is_of_one_person_only(world: World) -> None:
    """Both are notified in one transaction, whose look-back is the longest pause of the two."""
    await world.with_people()
    petrov = await world.hire("petrov", "manager")
    await world.register()
    async with world.staff_http() as http:
        assert (await http.put("/telling-preferences", json={"digest_minutes": 120})).status_code == 200
    await fire(world, [*await storm(world, 1), *await storm(world, 1, responsible_staff_id=petrov)])
    async with world.notifier.session() as session:
        sent = update(Notice).where(Notice.office_id == world.office_id, Notice.purpose == "staff")
        await session.execute(sent.values(next_attempt_at=now() - minutes(30), state="sent"))
    before = now()
    await fire(world, [*await storm(world, 1), *await storm(world, 1, responsible_staff_id=petrov)])
    assert (await letters_to(world, "ivanov"))[-1].next_attempt_at > before + minutes(89)
    assert (await letters_to(world, "petrov"))[-1].next_attempt_at < before + minutes(1)


async def test_replicas_that_fire_one_storm_do_not_write_a_letter_each(world: World) -> None:
    await world.with_people()
    await world.register()
    ids = await storm(world, 80)
    database = world.notifier.app.state.database
    async with engine_gate.closed():
        await make_due(world, ids)
        await asyncio.gather(*(engine.fire_due(database, limit=10, window=WINDOW) for _ in range(8)))
    first, second = (letter.context or {} for letter in await letters_to(world, "ivanov"))
    assert first["count"] + second["count"] == 80


async def test_a_lone_letter_is_not_kept_waiting(world: World) -> None:
    await world.with_people()
    await world.register()
    before = now()
    await fire(world, await storm(world, 1))
    (letter,) = await letters_to(world, "ivanov")
    assert letter.template == "escalation"
    assert letter.next_attempt_at - before < timedelta(seconds=5)


async def test_what_was_done_meanwhile_is_not_in_the_digest(world: World) -> None:
    await world.with_people()
    await world.register()
    await fire(world, await storm(world, 1))
    ids = await storm(world, 3)
    await fire(world, ids)
    async with world.notifier.session() as session:
        done = update(Obligation).where(Obligation.id.in_(ids[:2])).values(state="done", closed_at=now())
        await session.execute(done)
        waiting = update(Notice).where(Notice.staff_id == world.staff["ivanov"], Notice.state == "queued")
        await session.execute(waiting.values(next_attempt_at=text("now()")))
        await session.execute(text("SELECT pg_notify('notifier_notices', '')"))
    (mail,) = await world.mailbox.wait_for(to=world.mail_of("ivanov"), subject="Сроки: нарушено 1")
    assert (mail.text or "").count("[ORD-04]") == 1


async def test_people_are_not_notified_at_night_unless_the_rule_says_urgent(world: World) -> None:
    """Zammad mails people at night."""
    local = now().astimezone(UTC)
    # An office in UTC that opens in five hours from now, and only then: now is its night.
    opening = (local + timedelta(hours=5)).replace(minute=0, second=0, microsecond=0)
    day = ((f"{opening.hour:02d}:00", f"{opening.hour:02d}:30"),)
    await world.open_office(calendar=calendar(time_zone="UTC", weekly=(day,) * 7))
    await world.hire("ivanov", "manager")
    await world.register()
    await fire(world, await storm(world, 2))
    (calm,) = await letters_to(world, "ivanov")
    assert calm.next_attempt_at == opening
    await fire(world, await storm(world, 1, urgent=True))
    urgent = [letter for letter in await letters_to(world, "ivanov") if letter.id != calm.id]
    assert [letter.next_attempt_at < now() for letter in urgent] == [True]


async def test_a_snooze_holds_letters_back_and_urgent_ones_come_through(world: World) -> None:
    await world.with_people()
    await world.register()
    async with world.staff_http() as http:
        snoozed = (await http.post("/telling-preferences/snooze", json={"minutes": 30})).json()
    await fire(world, await storm(world, 2))
    (letter,) = await letters_to(world, "ivanov")
    assert letter.next_attempt_at == datetime.fromisoformat(snoozed["snoozed_until"])
    await fire(world, await storm(world, 1, urgent=True))
    assert len(await letters_to(world, "ivanov")) == 2


async def test_a_wish_for_no_warnings_still_lets_breaches_through(world: World) -> None:
    await world.with_people()
    await world.register()
    async with world.staff_http() as http:
        wish = {"warnings": False, "digest_minutes": 30}
        assert (await http.put("/telling-preferences", json=wish)).json()["warnings"] is False
    await fast_contact(world, duration=seconds(2), warnings=[{"share": 50}], ladder=ladder(0))
    obligation = await world.obligation(await world.place(), "ORD-04")
    await until(lambda: levels(world.notifier, obligation.id), lambda rows: len(rows) == 2)
    (letter,) = await letters_to(world, "ivanov")
    assert letter.context is not None
    assert letter.context["kind"] == "breach"


async def test_a_substitute_is_notified_instead_of_the_absent(world: World) -> None:
    await world.with_people()
    petrov = await world.hire("petrov", "manager")
    await world.register()
    absence = {
        "staff_id": str(world.staff["ivanov"]),
        "substitute_id": str(petrov),
        "since": (now() - minutes(1)).isoformat(),
        "until": (now() + minutes(60)).isoformat(),
    }
    async with world.staff_http(Role.SENIOR_MANAGER, "senior") as http:
        entered = await http.post("/absences", json=absence)
        assert entered.status_code == 201, entered.text
        assert (await http.post("/absences", json=absence)).status_code == 409
        assert len((await http.get("/absences")).json()["items"]) == 1
    await fast_contact(world, duration=seconds(1), warnings=[], ladder=ladder(0))
    obligation = await world.obligation(await world.place(), "ORD-04")
    (fired,) = await until(lambda: levels(world.notifier, obligation.id), bool)
    assert fired.told == [str(petrov)]
    async with world.staff_http(Role.SENIOR_MANAGER, "senior") as http:
        ended = await http.post(f"/absences/{entered.json()['id']}/end")
        assert ended.status_code == 200, ended.text
    obligation = await world.obligation(await world.place(), "ORD-04")
    (fired,) = await until(lambda: levels(world.notifier, obligation.id), bool)
    assert fired.told == [str(world.staff["ivanov"])]


async def test_one_enters_ones_own_absence_and_no_colleagues(world: World) -> None:
    await world.with_people()
    body = {"since": now().isoformat(), "until": (now() + minutes(60)).isoformat()}
    async with world.staff_http() as http:
        assert (await http.post("/absences", json={**body, "staff_id": str(world.staff["senior"])})).status_code == 403
        assert (await http.post("/absences", json={**body, "staff_id": str(world.staff["ivanov"])})).status_code == 201
