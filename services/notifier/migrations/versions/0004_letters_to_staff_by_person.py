"""Letters to staff are found by person: one digest instead of a storm."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(
        "ix_notices_staff",
        "notices",
        ["staff_id", "next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("staff_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notices_staff", table_name="notices")
