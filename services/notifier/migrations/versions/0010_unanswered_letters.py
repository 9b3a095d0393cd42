"""Letters that wait for an answer are found among all that were ever received."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_inbound_mails_unanswered",
        "inbound_mails",
        ["received_at", "id"],
        postgresql_where=sa.text("kind = 'message' AND answered_at IS NULL"),
    )
