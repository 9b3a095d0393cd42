"""The engine: never early, once, in order, to the right people."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from services.notifier.clock.loops import engine
from services.notifier.clock.models.obligations import Obligation, ObligationHistory, ObligationLevel
from services.notifier.clock.store import rule_book
from services.notifier.delivery.models.notices import Notice
from shared.base.clock import now
from shared.contracts.notifier import ObligationBreached, ObligationLimitReached, ObligationWarned
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.rules import ladder, publish, seconds
from tests.support.harness import ServiceHarness

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], timeout: float = 15) -> T:
    """What was seen once it is enough."""
    async with asyncio.timeout(timeout):
        while not enough(seen := await look()):  # noqa: ASYNC110 (polls the running service)
            await asyncio.sleep(0.05)
    return seen


async def levels(notifier: ServiceHarness, obligation_id: UUID) -> list[ObligationLevel]:
    async with notifier.session() as session:
        query = select(ObligationLevel).where(ObligationLevel.obligation_id == obligation_id)
        return list((await session.execute(query.order_by(ObligationLevel.fired_at, ObligationLevel.level))).scalars())


async def fast_contact(world: World, **changes: Any) -> None:
    """ORD-04 in seconds for this office; nothing else of the order climbs meanwhile."""
    await publish(
        world.notifier,
        "ORD-04",
        world.office_id,
        **{"duration": seconds(2), "warnings": [{"share": 50}], "ladder": ladder(0, 1, 2, 3), **changes},
    )


@pytest.mark.clause("NTF-03")
async def test_it_warns_breaches_and_climbs_to_four_mailboxes_each_later_than_the_one_before(world: World) -> None:
    """NTF-03."""
    await world.with_people()
    await world.hire("head", "head_office", head_office=True)
    await world.register()
    await fast_contact(world, warnings=[{"share": 50, "role": None}])
    order = await world.place()
    arrived = []
    for who in ("ivanov", "senior", "director", "head"):
        (mail,) = await world.mailbox.wait_for(to=world.mail_of(who), subject=f"З-{str(order)[-4:]}")
        arrived.append(mail)
    assert all(earlier.received_at < later.received_at for earlier, later in pairwise(arrived))
    for who, mail in zip(("ivanov", "senior", "director", "head"), arrived, strict=True):
        assert len(world.mailbox.store.newest(to=world.mail_of(who))) == 1
        assert mail.subject == f"[ORD-04] Срок нарушен: заказ З-{str(order)[-4:]}"
    obligation = await world.obligation(order, "ORD-04")
    fired = await levels(world.notifier, obligation.id)
    assert [(row.kind, row.role) for row in fired] == [
        ("warning", None),
        ("breach", "manager"),
        ("escalation", "senior_manager"),
        ("escalation", "director"),
        ("escalation", "head_office"),
    ]
    assert all(row.fired_at >= row.planned_at for row in fired)
    assert max(row.fired_at - row.planned_at for row in fired) < timedelta(seconds=3)
    assert len(await world.notifier.published(ObligationWarned, obligation_id=obligation.id)) == 1
    (breach,) = await world.notifier.published(ObligationBreached, obligation_id=obligation.id)
    assert (breach.penalty_points, breach.breached_at) == (2, obligation.due_at)
    assert breach.responsible_staff_id == world.staff["ivanov"]


@pytest.mark.clause("ORG-03")
async def test_without_a_director_the_senior_manager_stands_in(world: World) -> None:
    """ORG-03."""
    await world.with_people(director=False)
    await world.register()
    await fast_contact(world, duration=seconds(1), ladder=ladder(0, 1, 2))
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    fired = await until(lambda: levels(world.notifier, obligation.id), lambda rows: len(rows) == 4)
    senior = [str(world.staff["senior"])]
    assert [(row.role, row.told) for row in fired[2:]] == [("senior_manager", senior), ("director", senior)]


async def test_a_level_without_people_passes_on_to_the_next(world: World) -> None:
    await world.open_office()
    await world.hire("director", "director")
    await world.register(manager_id=None)
    await fast_contact(world, duration=seconds(1), warnings=[], ladder=ladder(0, 1))
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    fired = await until(lambda: levels(world.notifier, obligation.id), lambda rows: len(rows) == 2)
    director = [str(world.staff["director"])]
    assert [(row.role, row.told) for row in fired] == [("director", director), ("director", director)]


async def test_people_are_those_of_the_moment_of_firing(world: World) -> None:
    await world.with_people()
    await world.register()
    await fast_contact(world, warnings=[])
    order = await world.place()
    await world.hire("ivanov", "manager", version=2, active=False)
    await world.hire("novikov", "manager")
    obligation = await world.obligation(order, "ORD-04")
    fired = await until(lambda: levels(world.notifier, obligation.id), bool)
    assert fired[0].told == [str(world.staff["novikov"])]


async def test_a_closed_obligation_fires_nothing_more(world: World) -> None:
    await world.with_people()
    await world.register()
    await fast_contact(world, warnings=[])
    order = await world.place()
    await world.call("order_contact", order_id=order)
    await asyncio.sleep(2.5)
    assert await levels(world.notifier, (await world.obligation(order, "ORD-04")).id) == []


@pytest.mark.clause("ORD-07")
async def test_the_limit_asks_for_the_removal_of_the_order(world: World) -> None:
    """ORD-07."""
    await world.with_people()
    await world.register()
    limit = {"action": "remove_order", "after": seconds(1)}
    await publish(world.notifier, "ORD-07", world.office_id, duration=seconds(1), warnings=[], limit=limit)
    order = await world.place()

    async def reached() -> list[ObligationLimitReached]:
        return await world.notifier.published(ObligationLimitReached, subject_id=order)

    (event,) = await until(reached, bool)
    obligation = await world.obligation(order, "ORD-07")
    assert event.action == "remove_order"
    assert event.reached_at >= obligation.due_at + timedelta(seconds=1)
    assert (event.due_at, event.obligation_id) == (obligation.due_at, obligation.id)


async def test_an_earlier_obligation_wakes_the_engine_from_a_longer_sleep(world: World) -> None:
    """Frappe Helpdesk looks at its deadlines once an hour, RetailCRM every two minutes; here no beat decides."""
    await world.with_people()
    await world.register()
    await world.place()  # Its next step is many minutes away.
    await fast_contact(world, duration=seconds(1), warnings=[])
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    fired = await until(lambda: levels(world.notifier, obligation.id), bool, timeout=5)
    assert timedelta(0) <= fired[0].fired_at - obligation.due_at < timedelta(seconds=3)  # It would have slept a minute.


async def test_after_downtime_everything_fires_once_and_in_order(world: World) -> None:
    """Steps of several obligations that came due while no engine ran."""
    await world.with_people()
    await world.register()
    order_ids = [new_id() for _ in range(8)]
    start = now() - timedelta(hours=10)
    for index, order in enumerate(order_ids):
        await world.place(order, at=start + timedelta(minutes=7 * index))

    async def fired() -> list[ObligationLevel]:
        async with world.notifier.session() as session:
            query = select(ObligationLevel).where(ObligationLevel.office_id == world.office_id)
            order = (ObligationLevel.fired_at, ObligationLevel.planned_at, ObligationLevel.level)
            return list((await session.execute(query.order_by(*order))).scalars())

    # CALL-06 and ORD-04: a warning, the breach and three more levels each.
    rows = await until(fired, lambda found: len(found) >= 80)
    assert len(rows) == 80
    assert len({(row.obligation_id, row.generation, row.level) for row in rows}) == 80
    for obligation in await world.obligations():
        mine = [row.level for row in rows if row.obligation_id == obligation.id]
        assert mine == sorted(mine)


async def test_several_replicas_fire_every_step_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH", 20)  # A storm for the service's own engine, too: it works in several lanes.
    await world.with_people()
    await world.register()
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")
    copies = await many_due(world, obligation, 300)
    database = world.notifier.app.state.database

    async def replica() -> int:
        total = 0
        while fired := await engine.fire_due(database, limit=20):
            total += fired
        return total

    await asyncio.gather(*(replica() for _ in range(4)))
    await until(lambda: _waiting(world, copies), lambda left: left == 0)
    async with world.notifier.session() as session:
        count = select(func.count()).select_from(ObligationLevel).where(ObligationLevel.obligation_id.in_(copies))
        assert (await session.execute(count)).scalar_one() == 300
        history = select(func.count()).select_from(ObligationHistory)
        history = history.where(ObligationHistory.obligation_id.in_(copies), ObligationHistory.event == "breached")
        assert (await session.execute(history)).scalar_one() == 300


async def many_due(world: World, pattern: Obligation, number: int) -> list[UUID]:
    """Copies of an obligation whose only step is its breach, due now; they appear in one transaction."""
    step = [{"level": 1, "kind": "breach", "at": now().isoformat(), "role": None, "action": None}]
    columns = [column.name for column in Obligation.__table__.columns]
    own = {
        "id": "gen_random_uuid()",
        "subject_id": "gen_random_uuid()",
        "schedule": "CAST(:step AS jsonb)",
        "next_step": "0",
        "next_at": "now()",
        "due_at": "now()",
        "client_id": "NULL",
    }
    chosen = ", ".join(own.get(name, name) for name in columns)
    statement = text(
        f"INSERT INTO obligations ({', '.join(columns)}) SELECT {chosen} FROM obligations, generate_series(1, :number)"
        " WHERE id = :pattern RETURNING id"
    )
    async with world.notifier.session() as session:
        values = {"step": json.dumps(step), "number": number, "pattern": pattern.id}
        ids = list((await session.execute(statement, values)).scalars())
        await session.execute(text("SELECT pg_notify('notifier_clock', '')"))
        return ids


async def _waiting(world: World, ids: list[UUID]) -> int:
    async with world.notifier.session() as session:
        query = select(func.count()).select_from(Obligation)
        return (
            await session.execute(query.where(Obligation.id.in_(ids), Obligation.next_at.is_not(None)))
        ).scalar_one()


async def test_a_step_that_fired_cannot_fire_again(world: World) -> None:
    """The key (obligation, generation, level) is the last guard."""
    await world.with_people()
    await world.register()
    obligation = await world.obligation(await world.place(), "ORD-04")
    (copy,) = await many_due(world, obligation, 1)
    await until(lambda: levels(world.notifier, copy), bool)
    with pytest.raises(Exception, match="pk_obligation_levels"):
        async with world.notifier.session() as session:
            row = ObligationLevel(
                obligation_id=copy,
                generation=1,
                level=1,
                office_id=world.office_id,
                kind="breach",
                role=None,
                told=[],
                planned_at=now(),
                fired_at=now(),
            )
            session.add(row)


async def test_a_warning_of_an_obligation_done_meanwhile_is_not_sent(world: World) -> None:
    await world.with_people()
    await world.register()
    await fast_contact(world, duration=seconds(60), warnings=[{"share": 1}])
    order = await world.place()
    obligation = await world.obligation(order, "ORD-04")

    async def warning() -> Notice | None:
        async with world.notifier.session() as session:
            query = select(Notice).where(Notice.obligation_id == obligation.id, Notice.state == "sent")
            return (await session.execute(query)).scalars().first()

    sent = await until(warning, lambda found: found is not None)
    assert sent is not None
    await world.call("order_contact", order_id=order)
    async with world.notifier.session() as session:
        values = {"state": "queued", "text": None, "title": None, "html": None}
        await session.execute(update(Notice).where(Notice.id == sent.id).values(**values))
        await session.execute(text("SELECT pg_notify('notifier_notices', '')"))

    async def state() -> str:
        async with world.notifier.session() as session:
            return str((await session.execute(select(Notice.state).where(Notice.id == sent.id))).scalar_one())

    assert await until(state, lambda found: found != "queued") == "expired"


async def test_the_rules_are_asked_for_once_and_not_in_every_transaction(
    notifier: ServiceHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever connection a transaction has; the stamp shows what was published since."""
    async with notifier.session() as session:
        book = await rule_book.cached_rule_book(session)

    async def asked(*_: object) -> None:
        pytest.fail("the database was asked for rules again")

    monkeypatch.setattr(rule_book, "rule_book", asked)
    async with notifier.session() as session, notifier.session() as beside:
        assert await rule_book.cached_rule_book(session) is book
        assert await rule_book.cached_rule_book(beside) is book
