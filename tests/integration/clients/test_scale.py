"""What keeps lists fast at 10 million rows: an index for each, and no statement per row."""

import pytest
from sqlalchemy import text

from shared.contracts.notifier import ObligationOpened
from shared.identity.roles import Role
from shared.persistence.scope import NETWORK, Scope
from tests.integration.clients.conftest import TestOffice, open_office
from tests.integration.clients.test_calls import duty
from tests.support.harness import ServiceHarness, statements

LISTS = [
    "/clients",
    "/clients?manager_id={manager}",
    "/clients?active=true&registered_from=2020-01-01T00:00:00Z",
    "/clients?active=false",
    "/clients?rating=1",
    "/clients?category=opt10",
    "/clients?group=cooperative",
    "/clients?phone_suspect=true",
    "/clients?contacts_requested=true",
    "/clients?q=иванов",
    "/clients?q=0147",
    "/call-list",
    "/cold-list",
    "/clients/{client}/calls",
    "/clients/{client}/vehicles",
    "/clients/{client}/price-checks",
    "/clients/{client}/consents",
]


@pytest.mark.parametrize("path", ["/clients", "/call-list"])
async def test_a_page_costs_the_same_whatever_its_length(clients: ServiceHarness, path: str) -> None:
    office = await open_office(clients)
    for _ in range(6):
        await clients.deliver(duty(ObligationOpened, office, (await office.create())["id"]))
    counts = []
    async with office.manager() as http:
        for length in (2, 6):
            with statements(clients) as seen:
                page = await http.get(path, params={"limit": length})
            assert len(page.json()["items"]) == length
            counts.append(len(seen))
    assert counts[0] == counts[1] <= 4


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("role", [Role.MANAGER, Role.HEAD_OFFICE, Role.CLIENT])
async def test_every_list_is_served_by_an_index(
    clients: ServiceHarness, office: TestOffice, path: str, role: Role
) -> None:
    """With sequential scans made dear, a plan that still sorts or scans has no index to stand on."""
    card = await office.create()
    callers = {
        Role.MANAGER: (office.manager(), Scope("office", office.id)),
        Role.HEAD_OFFICE: (clients.http(Role.HEAD_OFFICE), NETWORK),
        Role.CLIENT: (office.client(card["id"]), Scope("client", office.id, office.id)),
    }
    http, scope = callers[role]
    async with http:
        with statements(clients) as seen:
            answer = await http.get(path.format(manager=office.managers[0], client=card["id"]))
    if answer.status_code == 403:
        pytest.skip("not for clients")
    assert answer.status_code == 200, answer.text
    *_, (statement, parameters) = [(sql, values) for sql, values in seen if "LIMIT" in sql and "policies" not in sql]
    async with clients.app.state.database.app(scope) as session:
        for setting in ("enable_seqscan", "enable_sort", "enable_hashjoin"):
            await session.execute(text(f"SET LOCAL {setting} = off"))
        connection = await session.connection()
        plan = "\n".join((await connection.exec_driver_sql("EXPLAIN " + statement, parameters)).scalars())
    assert "Index" in plan, plan
    assert "Seq Scan" not in plan, plan
    if role == Role.HEAD_OFFICE:  # With so few rows as here the list of an office is as good for its manager.
        for few in ("phone_suspect", "contacts_requested", "rating", "category", "group"):
            assert f"{few}=" not in path or f"ix_clients_{few}" in plan, plan
        assert "active=false" not in path or "ix_clients_disabled" in plan, plan
    if "q=" in path:
        # The matches are few and sorted; what matters is that the words are looked up.
        assert "ix_client_words" in plan or "client_words_pkey" in plan or "pk_client_words" in plan, plan
    else:
        assert not [line for line in plan.splitlines() if "Sort" in line and "Key" not in line], plan
