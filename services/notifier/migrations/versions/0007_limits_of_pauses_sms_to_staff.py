"""Pauses that end by themselves; SMS to staff beside letters."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("telling_preferences", sa.Column("sms", sa.String(), server_default="none", nullable=False))
    op.create_index(
        "ix_obligations_paused_at",
        "obligations",
        ["paused_at"],
        unique=False,
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_obligations_paused_at", table_name="obligations")
    op.drop_column("telling_preferences", "sms")
