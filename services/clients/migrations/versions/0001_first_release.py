"""First release: cards, calls, garage, consents, contents, projections."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.clients.defaults import first_contents, first_policy
from shared.persistence.database import new_id
from shared.persistence.migrations import create_identity_tables, create_kernel_tables, isolate_by_office

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SINCE_EVER = datetime(2000, 1, 1, tzinfo=UTC)

# The functions answer across offices with no more than a number, a yes or no, or who serves the caller: the wider
# scope is set back before they return.
CARDS_WITH_PHONE = """
CREATE FUNCTION cards_with_phone(asked text, besides uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    scope text := current_setting('app.scope', true);
    found bigint;
BEGIN
    PERFORM set_config('app.scope', 'network', true);
    SELECT count(*) INTO found FROM clients WHERE phone = asked AND client_id <> besides AND active;
    PERFORM set_config('app.scope', scope, true);
    RETURN found;
END $$"""
KNOWN_ELSEWHERE = """
CREATE FUNCTION known_elsewhere(own_office uuid, asked_phone text, asked_email text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    scope text := current_setting('app.scope', true);
    found boolean;
BEGIN
    PERFORM set_config('app.scope', 'network', true);
    found := EXISTS (SELECT FROM clients WHERE phone = asked_phone AND office_id <> own_office)
        OR EXISTS (SELECT FROM clients WHERE email = asked_email AND office_id <> own_office);
    PERFORM set_config('app.scope', scope, true);
    RETURN found;
END $$"""
MANAGER_CONTACTS = """
CREATE FUNCTION manager_contacts(manager uuid, OUT full_name text, OUT phone text, OUT email text)
LANGUAGE plpgsql AS $$
DECLARE
    scope text := current_setting('app.scope', true);
BEGIN
    PERFORM set_config('app.scope', 'network', true);
    SELECT staff.full_name, staff.phone, staff.email INTO full_name, phone, email FROM staff WHERE staff.id = manager;
    PERFORM set_config('app.scope', scope, true);
END $$"""


def upgrade() -> None:
    create_kernel_tables()
    create_identity_tables()
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("goals", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("objection", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index(
        "ix_calls_of_client",
        "calls",
        ["client_id", sa.literal_column("called_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "client_words",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "word", name="pk_client_words"),
    )
    op.create_index("ix_client_words_network", "client_words", ["word"], unique=False)
    op.create_index("ix_client_words_office", "client_words", ["office_id", "word"], unique=False)
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("buyer_group", sa.String(), nullable=True),
        sa.Column("organization_name", sa.String(), nullable=True),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("name_verified", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("phone_suspicion", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("login_opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("rating", sa.BigInteger(), nullable=True),
        sa.Column("consents", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("contacts_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacts_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_order_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
        sa.UniqueConstraint("login", name="uq_clients_login"),
    )
    op.create_index(
        "ix_clients_cold",
        "clients",
        ["office_id", "registered_at", "client_id"],
        unique=False,
        postgresql_where=sa.text("first_order_at IS NULL"),
    )
    op.create_index("ix_clients_email", "clients", ["email"], unique=False)
    op.create_index(
        "ix_clients_list",
        "clients",
        ["office_id", sa.literal_column("registered_at DESC"), sa.literal_column("client_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_clients_network_list",
        "clients",
        [sa.literal_column("registered_at DESC"), sa.literal_column("client_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_clients_of_manager",
        "clients",
        ["manager_id", sa.literal_column("registered_at DESC"), sa.literal_column("client_id DESC")],
        unique=False,
    )
    op.create_index("ix_clients_phone", "clients", ["phone"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("document_version", sa.BigInteger(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index(
        "ix_consents_of_client",
        "consents",
        ["client_id", sa.literal_column("given_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "uq_consents_in_force",
        "consents",
        ["client_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "contents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contents"),
        sa.UniqueConstraint("code", "number", name="uq_contents_code_number"),
    )
    op.create_table(
        "duties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("rule_code", sa.String(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("responsible_staff_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("breached", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_duties"),
    )
    op.create_index(
        "ix_duties_list", "duties", ["office_id", "due_at", "id"], unique=False, postgresql_where=sa.text("open")
    )
    op.create_index(
        "ix_duties_network_list", "duties", ["due_at", "id"], unique=False, postgresql_where=sa.text("open")
    )
    op.create_index("ix_duties_of_client", "duties", ["client_id"], unique=False, postgresql_where=sa.text("open"))
    op.create_table(
        "email_confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_email_confirmations"),
        sa.UniqueConstraint("token_hash", name="uq_email_confirmations_token_hash"),
    )
    op.create_index("ix_email_confirmations_client_id", "email_confirmations", ["client_id"], unique=False)
    op.create_table(
        "offices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("phones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("legal_name", sa.String(), nullable=False),
        sa.Column("courier_delivery", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_offices"),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("answer_within", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("cards_per_phone", sa.BigInteger(), nullable=False),
        sa.Column("cold_from_days", sa.BigInteger(), nullable=False),
        sa.Column("cold_until_days", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
    )
    op.create_index("ix_policies_effective_from", "policies", ["effective_from"], unique=False)
    op.create_table(
        "price_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("article", sa.String(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("price", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("term_days", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price_checks"),
    )
    op.create_index(
        "ix_price_checks_of_client",
        "price_checks",
        ["client_id", sa.literal_column("checked_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client_assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
    )
    op.create_index(
        "ix_staff_round",
        "staff",
        ["office_id", "role", sa.literal_column("client_assigned_at NULLS FIRST")],
        unique=False,
    )
    op.create_table(
        "vehicles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vin", sa.String(), nullable=True),
        sa.Column("frame", sa.String(), nullable=True),
        sa.Column("make", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("year", sa.BigInteger(), nullable=True),
        sa.Column("engine", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vehicles"),
    )
    op.create_index(
        "ix_vehicles_of_client",
        "vehicles",
        ["client_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "uq_vehicles_frame",
        "vehicles",
        ["client_id", "frame"],
        unique=True,
        postgresql_where=sa.text("frame IS NOT NULL"),
    )
    op.create_index(
        "uq_vehicles_vin", "vehicles", ["client_id", "vin"], unique=True, postgresql_where=sa.text("vin IS NOT NULL")
    )

    for table in ("clients", "client_words", "vehicles", "price_checks", "consents"):
        isolate_by_office(table, client_column="client_id")
    for table in ("calls", "duties", "email_confirmations", "staff"):
        isolate_by_office(table)
    for function in (CARDS_WITH_PHONE, KNOWN_ELSEWHERE, MANAGER_CONTACTS):
        op.execute(function)
    op.bulk_insert(
        sa.table(
            "contents",
            sa.column("id", sa.Uuid()),
            sa.column("code"),
            sa.column("number", sa.BigInteger()),
            sa.column("title"),
            sa.column("body"),
            sa.column("effective_from", sa.DateTime(timezone=True)),
            sa.column("published_at", sa.DateTime(timezone=True)),
        ),
        [
            {
                "id": new_id(),
                "number": 1,
                **content,
                "effective_from": SINCE_EVER,
                "published_at": SINCE_EVER,
            }
            for content in first_contents()
        ],
    )
    op.bulk_insert(
        sa.table(
            "policies",
            sa.column("id", sa.Uuid()),
            sa.column("answer_within", sa.BigInteger()),
            sa.column("unit"),
            sa.column("cards_per_phone", sa.BigInteger()),
            sa.column("cold_from_days", sa.BigInteger()),
            sa.column("cold_until_days", sa.BigInteger()),
            sa.column("effective_from", sa.DateTime(timezone=True)),
            sa.column("published_at", sa.DateTime(timezone=True)),
        ),
        [
            {
                "id": new_id(),
                **first_policy(),
                "effective_from": SINCE_EVER,
                "published_at": SINCE_EVER,
            }
        ],
    )


def downgrade() -> None:
    raise NotImplementedError("The first release has nothing before it: drop the database.")
