"""First release."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.migrations import create_kernel_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kernel_tables()
    op.create_table(
        "page",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entered",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("page_id", sa.Uuid, nullable=False),
    )
