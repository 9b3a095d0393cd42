"""Clients whom somebody has to look at are found among millions of others."""

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
