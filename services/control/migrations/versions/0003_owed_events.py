"""A repair of a queue that is broken off is taken up again."""

from shared.persistence.migrations import remember_owed_events

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    remember_owed_events()
