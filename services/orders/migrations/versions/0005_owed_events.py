"""Republishing to a damaged queue resumes after an interruption."""

from shared.persistence.migrations import add_republish_pending_since

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_republish_pending_since()
