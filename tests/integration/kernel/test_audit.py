"""The audit is insert-only and shows tampering."""

from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select

from shared.persistence.database import new_id
from shared.persistence.tables import audit_seal
from shared.runtime.audit import _sealed_watermark, audit, seal, verify
from tests.integration.kernel.messages import until
from tests.support.harness import ServiceHarness


async def seal_all(sample: ServiceHarness, office: UUID, count: int) -> None:
    """Return when the office's rows are sealed; the service's own sealer may hold the lock meanwhile."""

    async def sealed() -> bool:
        await seal(sample.app.state.database)
        async with sample.session() as session:
            seals = select(func.count()).select_from(audit_seal).where(audit_seal.c.office_id == office)
            return await session.scalar(seals) == count

    await until(sealed)


async def test_a_changed_or_removed_row_breaks_the_chain(sample: ServiceHarness) -> None:
    office = new_id()
    async with sample.session() as session:
        for number in range(5):
            await audit(session, "thing.done", subject=f"thing/{number}", office_id=office, details={"n": number})
    await seal_all(sample, office, 5)
    async with sample.session() as session:
        assert await verify(session, office) is None
    admin = await asyncpg.connect(sample.urls.admin)
    await admin.execute(
        "UPDATE audit_log SET action = 'thing.undone' WHERE office_id = $1 AND subject = 'thing/2'", office
    )
    async with sample.session() as session:
        assert await verify(session, office) == 3
    await admin.execute(
        "UPDATE audit_log SET action = 'thing.done' WHERE office_id = $1 AND subject = 'thing/2'", office
    )
    await admin.execute("DELETE FROM audit_log WHERE office_id = $1 AND subject = 'thing/1'", office)
    await admin.close()
    async with sample.session() as session:
        assert await verify(session, office) == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "-id"),
        ("at", "at + interval '1 second'"),
        ("actor_id", "gen_random_uuid()"),
        ("actor_role", "'director'"),
        ("action", "'thing.undone'"),
        ("subject", "'thing/4'"),
        ("office_id", "gen_random_uuid()"),
        ("details", """'{"price": "90.00"}'"""),
        ("correlation_id", "'another'"),
    ],
)
async def test_every_column_of_a_row_is_part_of_its_hash(sample: ServiceHarness, column: str, value: str) -> None:
    office = new_id()
    async with sample.session() as session:
        for number in (1, 2, 3):
            subject, details = f"thing/{number}", {"price": "100.00"}
            await audit(session, "thing.done", subject=subject, office_id=office, details=details)
    await seal_all(sample, office, 3)
    async with sample.session() as session:
        assert await verify(session, office) is None
    admin = await asyncpg.connect(sample.urls.admin)
    tampered = f"UPDATE audit_log SET {column} = {value} WHERE office_id = $1 AND subject = 'thing/2'"
    if column == "id":  # Its seal follows it.
        tampered = (
            f"WITH moved AS ({tampered} RETURNING id) UPDATE audit_seal SET audit_id = moved.id"
            " FROM moved WHERE audit_seal.audit_id = -moved.id"
        )
    assert (await admin.execute(tampered, office)).endswith(" 1")
    await admin.close()
    async with sample.session() as session:
        assert await verify(session, office) == 2


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_the_running_roles_cannot_change_the_audit(sample: ServiceHarness, statement: str) -> None:
    for url in (sample.urls.app, sample.urls.worker):
        connection = await asyncpg.connect(url)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.close()


async def test_the_sealer_does_not_read_again_what_was_sealed_long_ago(sample: ServiceHarness) -> None:
    """It does read rows younger than the longest transaction, even with an id below a sealed one."""
    database, office = sample.app.state.database, new_id()

    async def write(*ages: int) -> list[int]:
        admin = await asyncpg.connect(sample.urls.admin)
        row = (
            "INSERT INTO audit_log (at, actor_role, action, subject, office_id, details, correlation_id)"
            " VALUES (now() - make_interval(mins => $1), 'service', 'thing.done', 'thing', $2, '{}', '') RETURNING id"
        )
        ids = [await admin.fetchval(row, age, office) for age in ages]
        await admin.close()
        return ids

    while await seal(database):
        pass
    _, old, young = await write(30, 20, 1)
    assert await seal(database) == 3
    async with database.worker() as session:
        assert await _sealed_watermark(session) == old
    admin = await asyncpg.connect(sample.urls.admin)
    await admin.execute("DELETE FROM audit_seal WHERE audit_id = $1", young)
    await admin.close()
    assert await seal(database) == 1
    async with sample.session() as session:
        assert await verify(session, office) is None
