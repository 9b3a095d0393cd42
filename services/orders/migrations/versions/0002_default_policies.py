"""The first version of every policy, in force from the beginning; head office adds later versions."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.orders.defaults import first_policies

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    policy = sa.table(
        "policy",
        sa.column("code", sa.String),
        sa.column("effective_from", sa.DateTime(timezone=True)),
        sa.column("data", JSONB),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    op.bulk_insert(
        policy,
        [
            {
                "code": code,
                "effective_from": BEGINNING,
                "data": data,
                "created_at": BEGINNING,
            }
            for code, data in first_policies().items()
        ],
    )
