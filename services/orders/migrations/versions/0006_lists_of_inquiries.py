"""Indexes for inquiries by channel and mark, and for tasks that are done."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEWEST = [sa.text("recorded_at DESC"), sa.text("id DESC")]


def upgrade() -> None:
    op.create_index("ix_inquiry_channel", "inquiry", ["channel", *NEWEST])
    op.create_index("ix_inquiry_mark", "inquiry", ["mark", *NEWEST], postgresql_where=sa.text("mark IS NOT NULL"))
    op.create_index("ix_inquiry_task_office", "inquiry_task", ["office_id", "due_at", "id"])
    op.create_index("ix_inquiry_task_staff", "inquiry_task", ["staff_id", "due_at", "id"])
