"""Requests, their lines and answers, reasons for refusal, projections."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.vin.defaults import first_reasons
from shared.persistence.database import new_id
from shared.persistence.migrations import create_kernel_tables, isolate_by_office

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_kernel_tables()
    op.create_table(
        "client_calls",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_client_calls"),
    )
    op.create_index("ix_client_calls_client", "client_calls", ["client_id", "called_at"], unique=False)
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
    )
    op.create_table(
        "deadlines",
        sa.Column("obligation_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("breached", sa.Boolean(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("obligation_id", name="pk_deadlines"),
    )
    op.create_index(
        "ix_deadlines_running",
        "deadlines",
        ["request_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("closed IS false"),
    )
    op.create_table(
        "garage_vehicles",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("vin", sa.String(), nullable=True),
        sa.Column("frame", sa.String(), nullable=True),
        sa.Column("make", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("year", sa.BigInteger(), nullable=True),
        sa.Column("engine", sa.String(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle_id", name="pk_garage_vehicles"),
    )
    op.create_index("ix_garage_vehicles_client", "garage_vehicles", ["client_id"], unique=False)
    reasons = op.create_table(
        "refusal_reasons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_refusal_reasons"),
        sa.UniqueConstraint("code", "effective_from", name="uq_refusal_reasons_code_effective_from"),
    )
    op.create_table(
        "request_counters",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("office_id", name="pk_request_counters"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("vin", sa.String(), nullable=True),
        sa.Column("frame", sa.String(), nullable=True),
        sa.Column("make", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("year", sa.BigInteger(), nullable=True),
        sa.Column("engine", sa.String(), nullable=True),
        sa.Column("correction", sa.String(), nullable=True),
        sa.Column("preference", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correction_reason", sa.String(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.UniqueConstraint("office_id", "number", name="uq_requests_office_id_number"),
    )
    op.create_index(
        "ix_requests_list",
        "requests",
        ["office_id", sa.literal_column("submitted_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_requests_network_list",
        "requests",
        [sa.literal_column("submitted_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_requests_network_open",
        "requests",
        ["submitted_at", "id"],
        unique=False,
        postgresql_where=sa.text("state != 'answered'"),
    )
    op.create_index(
        "ix_requests_of_client",
        "requests",
        ["client_id", sa.literal_column("submitted_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_requests_open",
        "requests",
        ["office_id", "submitted_at", "id"],
        unique=False,
        postgresql_where=sa.text("state != 'answered'"),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("lines", JSONB(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_by_name", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notify_client", sa.Boolean(), nullable=False),
        sa.Column("correction_reason", sa.String(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_answers_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.UniqueConstraint("request_id", "number", name="uq_answers_request_id_number"),
    )
    op.create_table(
        "lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("offers", JSONB(), nullable=False),
        sa.Column("preference_note", sa.String(), nullable=True),
        sa.Column("refusal_code", sa.String(), nullable=True),
        sa.Column("refusal_comment", sa.String(), nullable=True),
        sa.Column("question", sa.String(), nullable=True),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("chosen_by", sa.Uuid(), nullable=True),
        sa.Column("chosen_by_name", sa.String(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_lines_request_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_lines"),
    )
    op.create_index("ix_lines_request_id", "lines", ["request_id"], unique=False)

    for table in ("requests", "lines", "answers", "clients", "garage_vehicles"):
        isolate_by_office(table, client_column="client_id")
    for table in ("client_calls", "deadlines"):
        isolate_by_office(table)
    op.bulk_insert(
        reasons,
        [{"id": new_id(), "effective_from": datetime(2020, 1, 1, tzinfo=UTC), **reason} for reason in first_reasons()],
    )


def downgrade() -> None:
    raise NotImplementedError("The first release has nothing before it: drop the database.")
