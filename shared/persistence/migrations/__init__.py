"""What the Alembic migrations of all services share.

Migrations run as the database's owner.  The running roles `…_app` (HTTP) and `…_worker` (consumers and loops) get
their rights by default privileges (`shared.persistence.provision`) and see rows by the policies created here.

The SQL files are frozen: a change of the kernel's tables is a new file and a new migration in every service.
"""

from pathlib import Path
from typing import Any

from alembic import context, op
from sqlalchemy import MetaData, text

from shared.persistence.tables import IDENTITY, KERNEL

_HERE = Path(__file__).parent


def run(*metadata: MetaData) -> None:
    """Run the migrations: the complete body of a service's `migrations/env.py`.

    `shared.persistence.migrate` passes the connection.
    """
    connection = context.config.attributes["connection"]
    targets = list(metadata)
    context.configure(connection=connection, target_metadata=targets, compare_type=True, include_object=_is_ours)
    with context.begin_transaction():
        # A deployment must not queue behind a long transaction and block all transactions behind itself.
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        connection.execute(text("SELECT set_config('app.scope', 'network', true)"))
        context.run_migrations()


def _is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Return whether Alembic compares the object: the kernel's tables have a test of their own."""
    return not (kind == "table" and (name in KERNEL.tables or name in IDENTITY.tables))


def create_kernel_tables() -> None:
    """Create outbox, inbox, failed messages, idempotency keys and audit, as of the first release."""
    _run_file("kernel_0001.sql")


def add_republish_pending_since() -> None:
    """Add `topology_check.owed_since`: since when a republish for a repaired queue is pending."""
    _run_file("kernel_0002.sql")


def create_identity_tables() -> None:
    """Create accounts, refresh tokens, revocations and signing keys, as of the first release.

    Only services that sign people in have them.
    """
    _run_file("identity_0001.sql")


def isolate_by_office(table: str, *, client_column: str | None = None) -> None:
    """Enable row-level security: rows of the caller's office, or, with `client_column`, of the calling client (ORG-04).

    It binds every role, the owner included; a transaction without a scope sees nothing.
    """
    condition = _scope_condition(client_column)
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY office_isolation ON {table} USING ({condition}) WITH CHECK ({condition})")


def replace_isolation_policy(table: str, *, client_column: str | None = None) -> None:
    """Replace a policy that was created before `isolate_by_office` wrote its condition in the present form."""
    condition = _scope_condition(client_column)
    op.execute(f"ALTER POLICY office_isolation ON {table} USING ({condition}) WITH CHECK ({condition})")


def _scope_condition(client_column: str | None) -> str:
    """Return the condition as a CASE, of which the planner expects that half of the rows pass.

    As an OR it would expect one row in two hundred, read and sort thousands of rows for a page, and ignore the index
    that holds them in order.  The sub-selects are evaluated once per statement and not once per row.
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
    # Only the driver's own interface accepts several statements in one call.
    adapted: Any = op.get_bind().connection.dbapi_connection
    adapted.run_async(lambda driver: driver.execute(statements))
