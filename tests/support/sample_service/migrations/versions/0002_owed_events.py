"""Resume an interrupted repair of a queue."""

from shared.persistence.migrations import add_republish_pending_since

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_republish_pending_since()
