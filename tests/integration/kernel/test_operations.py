"""What operators see, and projections: both are one statement of the database, so they are tried on it."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select

from shared.identity import accounts
from shared.identity.roles import Principal, Role
from shared.messaging.projection import project
from shared.persistence.database import new_id
from shared.persistence.tables import account, audit_log, failed_message, outbox
from shared.runtime.operations import measure
from tests.support.harness import ServiceHarness
from tests.support.sample_service.app import Note


async def note(sample: ServiceHarness, identity: UUID) -> tuple[str, int]:
    async with sample.session() as session:
        row = (await session.execute(select(Note.text, Note.version).where(Note.id == identity))).one()
        return row.text, row.version


async def test_a_projection_knows_the_newest_version_whatever_comes_last(sample: ServiceHarness) -> None:
    identity = new_id()
    owner = {"office_id": new_id(), "client_id": new_id()}

    async def heard(text: str, version: int) -> bool:
        async with sample.session() as session:
            values = {**owner, "text": f"{text} {identity}"}
            return await project(session, Note, {"id": identity}, version=version, values=values)

    assert await heard("первый", 2) is True
    assert await heard("тот же", 2) is False
    assert await heard("старый", 1) is False
    assert await note(sample, identity) == (f"первый {identity}", 2)
    assert await heard("новый", 3) is True
    assert await note(sample, identity) == (f"новый {identity}", 3)
    async with sample.session() as session:
        await session.execute(delete(Note).where(Note.id == identity))


def failure(state: str, **changes: Any) -> dict[str, Any]:
    parked = func.now() if state == "parked" else None
    fields = {"id": new_id(), "consumer": "sample", "event_id": new_id(), "type": "a.b.v1", "state": state}
    more = {"body": b"\xff{}", "headers": {"time": "t"}, "attempts": 3, "error": "сбой", "parked_at": parked}
    return {**fields, **more, "next_attempt_at": func.now() + timedelta(days=1), **changes}


async def failures(sample: ServiceHarness, *rows: dict[str, Any]) -> None:
    async with sample.session() as session:
        for row in rows:
            await session.execute(insert(failed_message).values(**row))


async def test_the_backlog_and_the_failures_are_counted(sample: ServiceHarness) -> None:
    async with sample.session() as session:
        savepoint = await session.begin_nested()
        before = await measure(session, "sample")
        event = {"event_id": new_id(), "type": "a.b.v1", "subject": "x", "body": b"{}", "headers": {}}
        await session.execute(
            insert(outbox).values(**event, office_id=None, created_at=func.now() - timedelta(seconds=90))
        )
        for state in ("parked", "parked", "retrying", "delivering", "resolved"):
            await session.execute(insert(failed_message).values(**failure(state)))
        found = await measure(session, "sample")
        assert found["outbox_backlog"] == before["outbox_backlog"] + 1
        assert 90 <= found["outbox_oldest_seconds"] < 300
        assert found["parked"] == before["parked"] + 2
        assert found["retrying"] == before["retrying"] + 1
        assert set(found) == {"outbox_backlog", "outbox_oldest_seconds", "retrying", "parked"}
        await savepoint.rollback()


async def test_nothing_that_waits_is_nought_seconds_old(sample: ServiceHarness) -> None:
    async with sample.session() as session:
        savepoint = await session.begin_nested()
        await session.execute(delete(outbox).where(outbox.c.confirmed_at.is_(None)))
        await session.execute(delete(failed_message))
        found = await measure(session, "sample")
        assert found == {"outbox_backlog": 0, "outbox_oldest_seconds": 0.0, "retrying": 0, "parked": 0}
        await savepoint.rollback()


async def test_a_parked_message_is_shown_whole_and_replayed_once(sample: ServiceHarness) -> None:
    row = failure("parked")
    waiting = failure("retrying")
    await failures(sample, row, waiting)
    async with sample.http(Role.HEAD_OFFICE) as http:
        shown = (await http.get(f"/parked/{row['id']}")).json()
        assert shown["body"] == "\ufffd{}"
        assert base64.b64decode(shown["body_base64"]) == b"\xff{}"
        assert (shown["headers"], shown["error"], shown["attempts"]) == ({"time": "t"}, "сбой", 3)
        listed = [each["id"] for each in (await http.get("/parked", params={"limit": 200})).json()["items"]]
        assert str(row["id"]) in listed
        assert str(waiting["id"]) not in listed
        for path in (f"/parked/{waiting['id']}", f"/parked/{new_id()}"):
            assert (await http.get(path)).status_code == 404
        assert (await http.post(f"/parked/{waiting['id']}/replay")).status_code == 404
        replayed = await http.post(f"/parked/{row['id']}/replay")
        assert replayed.json() == {"replayed": 1}
    async with sample.session() as session:
        logged = select(audit_log.c.details, audit_log.c.action).where(audit_log.c.subject == f"parked/{row['id']}")
        [entry] = (await session.execute(logged)).all()
        assert entry.action == "parked.replayed"
        assert entry.details == {"events": [str(row["event_id"])], "count": 1}
        await session.execute(delete(failed_message).where(failed_message.c.id.in_([row["id"], waiting["id"]])))


async def test_operations_name_the_service_and_its_queues(sample: ServiceHarness) -> None:
    async with sample.http(Role.HEAD_OFFICE) as http:
        found = (await http.get("/operations")).json()
        assert found["service"] == sample.service.name
        assert found["consumers_healthy"] is True
        assert all(name.startswith(f"{sample.service.name}.") for name in found["queues"])
        assert found["queues"]
    async with sample.http(Role.DIRECTOR) as http:
        assert (await http.get("/operations")).status_code == 403


@pytest.mark.parametrize("active", [True, False])
async def test_an_account_changes_as_a_whole(sample: ServiceHarness, active: bool) -> None:
    principal = Principal(new_id(), Role.MANAGER, new_id(), "Имя")
    async with sample.session() as session:
        await accounts.create_account(session, principal, f" {principal.id}@X ", "пароль для проверки")
        promoted = Principal(principal.id, Role.DIRECTOR, new_id(), "Другое имя")
        await accounts.change_account(session, promoted, active=active)
        row = (await session.execute(select(account).where(account.c.id == principal.id))).one()
        assert (row.login, row.role, row.office_id, row.name, row.active) == (
            *(f"{principal.id}@x", "director", promoted.office_id, "Другое имя"),
            1 if active else 0,
        )
        revoked = dict(await accounts.recent_revocations(session))
        assert principal.id in revoked
