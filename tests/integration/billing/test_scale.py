"""What keeps the lists fast at millions of rows: an index for each of them, whoever asks."""

import pytest
from sqlalchemy import text

from shared.identity.roles import Role
from shared.persistence import migrate
from shared.persistence.scope import Scope
from tests.integration.billing.conftest import Till
from tests.support.harness import statements

LISTS = ["/payers", "/invoices", "/payments", "/ledger", "/documents", "/receipts", "/bank-statements/lines"]
STAFF_ONLY = {"/bank-statements/lines"}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("who", ["manager", "head", "client", "manager about a client"])
async def test_every_list_is_served_by_an_index(till: Till, path: str, who: str) -> None:
    """With sequential scans made dear, a plan that still sorts or scans has no index to stand on."""
    if path in STAFF_ONLY and "client" in who:
        pytest.skip("not a list of one client")
    role, scope = {
        "head": (Role.HEAD_OFFICE, Scope("network")),
        "client": (Role.CLIENT, Scope("client", till.office_id, till.client_id)),
    }.get(who, (Role.MANAGER, Scope("office", till.office_id)))
    params = {"client_id": str(till.client_id)} if who == "manager about a client" else {}
    office_id = None if role is Role.HEAD_OFFICE else till.office_id
    principal_id = till.client_id if role is Role.CLIENT else None
    async with till.billing.http(role, office_id=office_id, principal_id=principal_id) as http:
        with statements(till.billing) as seen:
            answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    ((statement, parameters),) = [(sql, values) for sql, values in seen if "LIMIT" in sql]
    async with till.billing.app.state.database.app(scope) as session:
        for method in ("seqscan", "bitmapscan", "sort"):
            await session.execute(text(f"SET LOCAL enable_{method} = off"))
        connection = await session.connection()
        plan = "\n".join((await connection.exec_driver_sql("EXPLAIN " + statement, parameters)).scalars())
    assert "Index" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert not [line for line in plan.splitlines() if "Sort" in line and "Incremental" not in line], plan


async def test_migrations_make_what_the_models_declare(till: Till) -> None:
    await migrate.check("services.billing", till.billing.urls.owner)
