"""First release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.persistence.migrations import create_identity_tables, create_kernel_tables, isolate_by_office

revision = "0001"
down_revision = None

OFFICE_TABLES = (
    "offices",
    "office_calendars",
    "staff",
    "penalty_entries",
    "inquiries",
    "calls",
    "obligations",
    "monthly_turnover",
)


def upgrade() -> None:
    create_kernel_tables()
    create_identity_tables()
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rating", sa.BigInteger(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_called_at", "calls", ["called_at"], unique=False)
    op.create_index("ix_calls_office_id_called_at", "calls", ["office_id", "called_at"], unique=False)
    op.create_table(
        "inquiries",
        sa.Column("inquiry_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mark", sa.String(length=10), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("lost_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("inquiry_id", name="pk_inquiries"),
    )
    op.create_index("ix_inquiries_office_id_recorded_at", "inquiries", ["office_id", "recorded_at"], unique=False)
    op.create_index("ix_inquiries_recorded_at", "inquiries", ["recorded_at"], unique=False)
    op.create_table(
        "monthly_turnover",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.PrimaryKeyConstraint("office_id", "month", name="pk_monthly_turnover"),
    )
    op.create_table(
        "obligations",
        sa.Column("obligation_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("rule_code", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("responsible_staff_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("obligation_id", "generation", name="pk_obligations"),
    )
    op.create_index(
        "ix_obligations_breached_at",
        "obligations",
        ["breached_at"],
        unique=False,
        postgresql_where=sa.text("breached_at IS NOT NULL"),
    )
    op.create_index(
        "ix_obligations_open",
        "obligations",
        ["office_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "offices",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("phones", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("requisites", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bank_accounts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("vat", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("calendar", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("courier_delivery", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("office_id", name="pk_offices"),
    )
    op.create_index("ix_offices_name_office_id", "offices", ["name", "office_id"], unique=False)
    op.create_table(
        "penalty_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("obligation_id", sa.Uuid(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("imposed_by", sa.Uuid(), nullable=True),
        sa.Column("imposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points > 0", name="ck_penalty_entries_points_positive"),
        sa.PrimaryKeyConstraint("id", name="pk_penalty_entries"),
        sa.UniqueConstraint("obligation_id", "generation", name="uq_penalty_entries_obligation_id_generation"),
    )
    op.create_index("ix_penalty_entries_imposed_at_id", "penalty_entries", ["imposed_at", "id"], unique=False)
    op.create_index(
        "ix_penalty_entries_office_id_imposed_at_id", "penalty_entries", ["office_id", "imposed_at", "id"], unique=False
    )
    op.create_index(
        "ix_penalty_entries_staff_id_imposed_at_id", "penalty_entries", ["staff_id", "imposed_at", "id"], unique=False
    )
    op.create_table(
        "policies",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_policies"),
    )
    op.create_table(
        "office_calendars",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("calendar", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.office_id"], name="fk_office_calendars_office_id"),
        sa.PrimaryKeyConstraint("office_id", "version", name="pk_office_calendars"),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("hired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissal_reason", sa.String(length=500), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.office_id"], name="fk_staff_office_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("login", name="uq_staff_login"),
    )
    op.create_index("ix_staff_full_name_id", "staff", ["full_name", "id"], unique=False)
    op.create_index("ix_staff_office_id_full_name_id", "staff", ["office_id", "full_name", "id"], unique=False)
    op.create_index(
        "uq_staff_one_director",
        "staff",
        ["office_id"],
        unique=True,
        postgresql_where=sa.text("active AND role = 'director'"),
    )
    for table in OFFICE_TABLES:
        isolate_by_office(table)
