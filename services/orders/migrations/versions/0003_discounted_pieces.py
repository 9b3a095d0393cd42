"""Positions keep what was refunded for pieces that the client kept (RET-03, RET-04, RET-05, RET-06)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A position has at most one open claim, and every kept one so far was about all of its present pieces.
GIVEN_BACK = """
UPDATE position SET discounted = kept.refund
FROM (SELECT position_id, sum(refund) AS refund FROM claim WHERE decision = 'kept' GROUP BY position_id) AS kept
WHERE kept.position_id = position.id
"""


def upgrade() -> None:
    op.add_column("position", sa.Column("discounted", sa.Numeric(14, 2), server_default="0", nullable=False))
    op.execute(GIVEN_BACK)
