"""Pauses, agreed deadlines, remarks, absences; drafts of rules and what dry runs replay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.persistence.migrations import isolate_by_office

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("substitute_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_staff_id", "absences", ["staff_id", "until"], unique=False)
    op.create_table(
        "heard_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heard_events")),
    )
    op.create_index("ix_heard_events_happened_at", "heard_events", ["happened_at", "id"], unique=False)
    op.create_table(
        "rule_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("based_on", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_version", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_drafts")),
    )
    op.create_index(
        "ix_rule_drafts_open", "rule_drafts", ["id"], unique=False, postgresql_where=sa.text("state = 'draft'")
    )
    op.create_table(
        "telling_preferences",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("warnings", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("digest_minutes", sa.BigInteger(), server_default="5", nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_telling_preferences")),
    )
    op.create_table(
        "obligation_remarks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("obligation_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["obligation_id"], ["obligations.id"], name=op.f("fk_obligation_remarks_obligation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation_remarks")),
    )
    op.create_index("ix_obligation_remarks_obligation_id", "obligation_remarks", ["obligation_id", "id"], unique=False)
    op.add_column("obligations", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "obligations", sa.Column("spans", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False)
    )
    op.add_column("obligations", sa.Column("agreed_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("obligations", sa.Column("acknowledged_by", sa.Uuid(), nullable=True))
    op.add_column("obligations", sa.Column("acknowledged_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("obligations", sa.Column("urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for table in ("absences", "heard_events", "obligation_remarks"):
        isolate_by_office(table)


def downgrade() -> None:
    for column in ("urgent", "acknowledged_until", "acknowledged_by", "agreed_due_at", "spans", "paused_at"):
        op.drop_column("obligations", column)
    for table in ("obligation_remarks", "telling_preferences", "rule_drafts", "heard_events", "absences"):
        op.drop_table(table)
