"""The audit is insert-only and shows tampering."""

import asyncpg
import pytest

from shared.persistence.database import new_id
from shared.runtime.audit import _sealed_watermark, audit, seal, verify
from tests.support.harness import ServiceHarness


async def test_a_changed_or_removed_row_breaks_the_chain(sample: ServiceHarness) -> None:
    office = new_id()
    async with sample.session() as session:
        for number in range(5):
            await audit(session, "thing.done", subject=f"thing/{number}", office_id=office, details={"n": number})
    await seal(sample.app.state.database)
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
    "statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_the_running_roles_cannot_change_the_audit(sample: ServiceHarness, statement: str) -> None:
    for url in (sample.urls.app, sample.urls.worker):
        connection = await asyncpg.connect(url)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.close()


async def test_the_sealer_does_not_read_again_what_was_sealed_long_ago(sample: ServiceHarness) -> None:
    """But whatever is younger than the longest transaction, though its id is lower than a sealed one."""
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
