"""ORG-04: another office's or client's rows do not exist, by either layer alone."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import select

from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.persistence.scope import Scope
from tests.support.harness import ServiceHarness
from tests.support.isolation import LAYERS, active_layers
from tests.support.sample_service.app import Margin, Note


@pytest_asyncio.fixture(params=LAYERS)
async def layers(sample: ServiceHarness, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with active_layers(sample, request.param) as layers:
        yield layers


@pytest.mark.clause("ORG-04")
@pytest.mark.usefixtures("layers")
async def test_nobody_sees_foreign_rows(sample: ServiceHarness) -> None:
    mine, other, client, stranger = new_id(), new_id(), new_id(), new_id()
    notes: dict[str, UUID] = {"mine": new_id(), "stranger": new_id(), "foreign": new_id()}
    async with sample.session() as session:
        for name, office, owner in (
            ("mine", mine, client),
            ("stranger", mine, stranger),
            ("foreign", other, new_id()),
        ):
            session.add(Note(id=notes[name], office_id=office, client_id=owner, text=f"{name} {notes[name]}"))
        session.add(Margin(id=new_id(), office_id=mine, text=f"margin {mine}"))
    async with (
        sample.http(Role.MANAGER, office_id=mine) as manager,
        sample.http(Role.CLIENT, office_id=mine, principal_id=client) as customer,
    ):
        seen = {item["id"] for item in (await manager.get("/notes")).json()["items"]}
        assert seen == {str(notes["mine"]), str(notes["stranger"])}
        assert (await manager.get("/margins")).json() == [f"margin {mine}"]
        assert (await customer.get("/margins")).json() == []
        own = {item["id"] for item in (await customer.get("/notes")).json()["items"]}
        assert own == {str(notes["mine"])}
        unknown = await manager.get(f"/notes/{new_id()}")
        foreign = await manager.get(f"/notes/{notes['foreign']}")
        changed = await manager.patch(f"/notes/{notes['foreign']}", json={"text": "x"}, headers={"If-Match": '"1"'})
        assert unknown.status_code == foreign.status_code == changed.status_code == 404
        assert unknown.json() == foreign.json() == changed.json()
        assert (await customer.get(f"/notes/{notes['stranger']}")).status_code == 404


async def test_head_office_sees_every_office(sample: ServiceHarness) -> None:
    first, second = new_id(), new_id()
    async with sample.session() as session:
        for office in (first, second):
            session.add(Note(id=new_id(), office_id=office, client_id=new_id(), text=f"zz {office}"))
    async with sample.http(Role.HEAD_OFFICE) as http:
        page = (await http.get("/notes", params={"limit": 200})).json()
    assert {str(first), str(second)} <= {item["office_id"] for item in page["items"]}


async def test_a_transaction_without_a_scope_sees_nothing(sample: ServiceHarness) -> None:
    async with sample.session() as session:
        session.add(Note(id=new_id(), office_id=new_id(), client_id=new_id(), text=f"unseen {new_id()}"))
    for url in (sample.urls.app, sample.urls.worker, sample.urls.owner):
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT count(*) FROM note") == 0
        await connection.close()


async def test_a_row_cannot_be_put_into_another_office(sample: ServiceHarness) -> None:
    connection = await asyncpg.connect(sample.urls.app)
    await connection.execute("SELECT set_config('app.scope', 'office', false)")
    await connection.execute("SELECT set_config('app.office_id', $1, false)", str(new_id()))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("INSERT INTO note VALUES ($1, $2, $3, 'smuggled', 1)", new_id(), new_id(), new_id())
    await connection.close()


async def test_a_pooled_connection_carries_no_scope_over(sample: ServiceHarness) -> None:
    office = new_id()
    async with sample.app.state.database.app(Scope("office", office)) as session:
        session.add(Note(id=new_id(), office_id=office, client_id=new_id(), text=f"pooled {office}"))
    for _ in range(20):
        async with sample.app.state.database.app(Scope("office", new_id())) as session:
            assert (await session.scalars(select(Note))).all() == []
