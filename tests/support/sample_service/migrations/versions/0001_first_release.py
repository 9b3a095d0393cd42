"""First release."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.migrations import create_identity_tables, create_kernel_tables, isolate_by_office

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kernel_tables()
    create_identity_tables()
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("office_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("text", name="uq_note_text"),
    )
    op.create_index("ix_note_office_id", "note", ["office_id", "text", "id"])
    op.create_table(
        "margin",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("office_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.String, nullable=False),
    )
    isolate_by_office("note", client_column="client_id")
    isolate_by_office("margin")
