"""A repair of a queue that is broken off is taken up again."""

from shared.persistence.migrations import add_republish_pending_since

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_republish_pending_since()
