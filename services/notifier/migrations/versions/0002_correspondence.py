"""Limits and receipts of SMS, templates of offices, incoming mail, telephony."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.persistence.migrations import isolate_by_office

revision = "0002"
down_revision = "0001"

OFFICE_TABLES = ("sms_usage", "mailboxes", "mailbox_states", "inbound_mails", "phone_calls")


def upgrade() -> None:
    op.create_table(
        "heard_messages",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_heard_messages")),
    )
    op.create_index("ix_heard_messages_heard_at", "heard_messages", ["heard_at"], unique=False)
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("references", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("attachments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mails")),
        sa.UniqueConstraint("office_id", "message_id", name=op.f("uq_inbound_mails_office_id_message_id")),
    )
    op.create_index("ix_inbound_mails_client", "inbound_mails", ["client_id", "received_at", "id"], unique=False)
    op.create_index("ix_inbound_mails_office", "inbound_mails", ["office_id", "received_at", "id"], unique=False)
    op.create_index("ix_inbound_mails_received", "inbound_mails", ["received_at", "id"], unique=False)
    op.create_index("ix_inbound_mails_thread", "inbound_mails", ["thread_id", "received_at", "id"], unique=False)
    op.create_table(
        "mailbox_states",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_mailbox_states")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_mailboxes")),
    )
    op.create_table(
        "phone_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_calls")),
        sa.UniqueConstraint("provider", "external_id", name=op.f("uq_phone_calls_provider_external_id")),
    )
    op.create_index("ix_phone_calls_client", "phone_calls", ["client_id", "first_heard_at", "id"], unique=False)
    op.create_index("ix_phone_calls_heard", "phone_calls", ["first_heard_at", "id"], unique=False)
    op.create_index("ix_phone_calls_office", "phone_calls", ["office_id", "first_heard_at", "id"], unique=False)
    op.create_table(
        "sms_receipts",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "provider_id", "status", name=op.f("pk_sms_receipts")),
    )
    op.create_index("ix_sms_receipts_heard_at", "sms_receipts", ["heard_at"], unique=False)
    op.create_table(
        "sms_usage",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("office_id", "day", name=op.f("pk_sms_usage")),
    )
    op.create_table(
        "stopped_numbers",
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("phone", name=op.f("pk_stopped_numbers")),
    )
    op.create_table(
        "template_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("for_office_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("html", sa.String(), nullable=True),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_drafts")),
        sa.UniqueConstraint(
            "name",
            "for_office_id",
            name=op.f("uq_template_drafts_name_for_office_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "template_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("for_office_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("html", sa.String(), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_versions")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_template_versions_name_version")),
    )
    op.create_index(
        "ix_template_versions_in_force", "template_versions", ["name", "for_office_id", "version"], unique=False
    )
    op.add_column(
        "delivery_policies", sa.Column("sms_daily_limit", sa.BigInteger(), server_default="1000", nullable=True)
    )
    op.add_column(
        "delivery_policies",
        sa.Column("sms_office_limits", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column(
        "delivery_policies", sa.Column("sms_number_limit", sa.BigInteger(), server_default="10", nullable=True)
    )
    op.add_column(
        "delivery_policies",
        sa.Column("resend_unknown_mail", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "delivery_policies", sa.Column("answer_within_seconds", sa.BigInteger(), server_default="15", nullable=False)
    )
    op.add_column("notices", sa.Column("gateway", sa.String(), nullable=True))
    op.add_column("notices", sa.Column("parts", sa.BigInteger(), nullable=True))
    op.add_column("notices", sa.Column("template_version", sa.BigInteger(), nullable=True))
    op.add_column("notices", sa.Column("in_reply_to", sa.String(), nullable=True))
    op.create_index(
        "ix_notices_phone",
        "notices",
        ["recipient", "created_at"],
        unique=False,
        postgresql_where=sa.text("channel = 'sms'"),
    )
    op.create_index(
        "ix_notices_provider",
        "notices",
        ["gateway", "provider_id"],
        unique=False,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notices_unknown", "notices", ["created_at"], unique=False, postgresql_where=sa.text("state = 'unknown'")
    )
    # Until now there was one gateway, and its ids were ours.
    op.execute("UPDATE notices SET gateway = 'smsc' WHERE provider_id IS NOT NULL")
    for table in OFFICE_TABLES:
        isolate_by_office(table)


def downgrade() -> None:
    op.drop_index("ix_notices_unknown", table_name="notices", postgresql_where=sa.text("state = 'unknown'"))
    op.drop_index("ix_notices_provider", table_name="notices", postgresql_where=sa.text("provider_id IS NOT NULL"))
    op.drop_index("ix_notices_phone", table_name="notices", postgresql_where=sa.text("channel = 'sms'"))
    op.drop_column("notices", "in_reply_to")
    op.drop_column("notices", "template_version")
    op.drop_column("notices", "parts")
    op.drop_column("notices", "gateway")
    op.drop_column("delivery_policies", "answer_within_seconds")
    op.drop_column("delivery_policies", "resend_unknown_mail")
    op.drop_column("delivery_policies", "sms_number_limit")
    op.drop_column("delivery_policies", "sms_office_limits")
    op.drop_column("delivery_policies", "sms_daily_limit")
    op.drop_index("ix_template_versions_in_force", table_name="template_versions")
    op.drop_table("template_versions")
    op.drop_table("template_drafts")
    op.drop_table("stopped_numbers")
    op.drop_table("sms_usage")
    op.drop_index("ix_sms_receipts_heard_at", table_name="sms_receipts")
    op.drop_table("sms_receipts")
    op.drop_index("ix_phone_calls_office", table_name="phone_calls")
    op.drop_index("ix_phone_calls_heard", table_name="phone_calls")
    op.drop_index("ix_phone_calls_client", table_name="phone_calls")
    op.drop_table("phone_calls")
    op.drop_table("mailboxes")
    op.drop_table("mailbox_states")
    op.drop_index("ix_inbound_mails_thread", table_name="inbound_mails")
    op.drop_index("ix_inbound_mails_received", table_name="inbound_mails")
    op.drop_index("ix_inbound_mails_office", table_name="inbound_mails")
    op.drop_index("ix_inbound_mails_client", table_name="inbound_mails")
    op.drop_table("inbound_mails")
    op.drop_index("ix_heard_messages_heard_at", table_name="heard_messages")
    op.drop_table("heard_messages")
