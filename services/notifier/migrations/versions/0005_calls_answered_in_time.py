"""Calls answered in time; clients found by phone and address."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("phone_calls", sa.Column("in_time", sa.Boolean(), nullable=True))
    op.create_index("ix_clients_phone", "clients", ["phone"], unique=False)
    op.create_index("ix_clients_office_email", "clients", ["office_id", sa.text("lower(email)")], unique=False)


def downgrade() -> None:
    op.drop_index("ix_clients_office_email", table_name="clients")
    op.drop_index("ix_clients_phone", table_name="clients")
    op.drop_column("phone_calls", "in_time")
