"""What every service's Alembic migrations share.

Migrations run as the database's owner.  The running roles `…_app` (HTTP) and `…_worker` (consumers and loops) get
their rights by default privileges (`shared.persistence.provision`) and see rows by the policies made here.

The SQL files are frozen: a change of the kernel's tables is a new file and a new migration in every service.
"""

from pathlib import Path
from typing import Any

from alembic import context, op
from sqlalchemy import MetaData, text

from shared.persistence.tables import IDENTITY, KERNEL

_HERE = Path(__file__).parent


def run(*metadata: MetaData) -> None:
    """The whole of a service's `migrations/env.py`; `shared.persistence.migrate` hands in the connection."""
    connection = context.config.attributes["connection"]
    targets = list(metadata)
    context.configure(connection=connection, target_metadata=targets, compare_type=True, include_object=_is_ours)
    with context.begin_transaction():
        # Deploying must not queue behind a long transaction and block everybody behind itself.
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        connection.execute(text("SELECT set_config('app.scope', 'network', true)"))
        context.run_migrations()


def _is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Alembic compares the service's tables; the kernel's have a test of their own."""
    return not (kind == "table" and (name in KERNEL.tables or name in IDENTITY.tables))


def create_kernel_tables() -> None:
    """Outbox, inbox, failures, idempotency keys, audit: first release."""
    _run_file("kernel_0001.sql")


def add_republish_pending_since() -> None:
    """Since when the events of a mended queue are still to be asked for."""
    _run_file("kernel_0002.sql")


def create_identity_tables() -> None:
    """Accounts, refresh tokens, revocations, signing keys: first release.  For services that sign people in."""
    _run_file("identity_0001.sql")


def isolate_by_office(table: str, *, client_column: str | None = None) -> None:
    """Row-level security: rows of the caller's office, or, with `client_column`, of the calling client.

    It binds every role, the owner included; a transaction without a scope sees nothing.
    """
    condition = _scope_condition(client_column)
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY office_isolation ON {table} USING ({condition}) WITH CHECK ({condition})")


def replace_isolation_policy(table: str, *, client_column: str | None = None) -> None:
    """For tables whose policy was made before `isolate_by_office` wrote its condition as it does now."""
    condition = _scope_condition(client_column)
    op.execute(f"ALTER POLICY office_isolation ON {table} USING ({condition}) WITH CHECK ({condition})")


def _scope_condition(client_column: str | None) -> str:
    """The condition, as a CASE: the planner thinks that half of the rows pass it.

    Of the same as an OR it expects one row in two hundred, reads and sorts some thousand rows for a page, and leaves
    the index alone that has them in order.  The sub-selects are evaluated once per statement and not once per row.
    """
    client = f" WHEN 'client' THEN {client_column} = {_setting('client_id')}" if client_column is not None else ""
    return (
        "CASE (SELECT current_setting('app.scope', true)) WHEN 'network' THEN true"
        f" WHEN 'office' THEN office_id = {_setting('office_id')}{client} ELSE false END"
    )


def _setting(name: str) -> str:
    return f"(SELECT nullif(current_setting('app.{name}', true), '')::uuid)"


def _run_file(name: str) -> None:
    statements = (_HERE / name).read_text()
    # The driver's own interface takes several statements at once.
    adapted: Any = op.get_bind().connection.dbapi_connection
    adapted.run_async(lambda driver: driver.execute(statements))
