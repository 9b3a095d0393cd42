"""Parts of long SMS, of which gateways tell one by one."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "sms_parts",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "provider_id", name=op.f("pk_sms_parts")),
    )
    op.create_index("ix_sms_parts_notice_id", "sms_parts", ["notice_id"], unique=False)
    op.create_index("ix_sms_parts_sent_at", "sms_parts", ["sent_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_sms_parts_sent_at", table_name="sms_parts")
    op.drop_index("ix_sms_parts_notice_id", table_name="sms_parts")
    op.drop_table("sms_parts")
