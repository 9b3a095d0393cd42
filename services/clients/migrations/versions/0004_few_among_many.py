"""Clients whom somebody has to look at, and those of a kind, are found among millions of others."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, column in (("phone_suspect", "phone_suspicion"), ("contacts_requested", "contacts_requested_at")):
        op.create_index(
            f"ix_clients_{name}",
            "clients",
            [sa.text("registered_at DESC"), sa.text("client_id DESC")],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    newest = [sa.text("registered_at DESC"), sa.text("client_id DESC")]
    op.create_index("ix_clients_disabled", "clients", newest, postgresql_where=sa.text("NOT active"))
    op.create_index("ix_clients_category", "clients", ["category", *newest])
    for column in ("rating", "group"):
        some = sa.text(f'"{column}" IS NOT NULL')
        op.create_index(f"ix_clients_{column}", "clients", [column, *newest], postgresql_where=some)
