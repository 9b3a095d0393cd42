"""A repair of a queue that is broken off is taken up again."""

from shared.persistence.migrations import remember_owed_events

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    remember_owed_events()
