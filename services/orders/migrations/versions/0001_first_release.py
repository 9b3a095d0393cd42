"""Baskets, orders and positions, suppliers, shipments, claims, inquiries, policies, projections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.persistence.migrations import create_kernel_tables, isolate_by_office

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQUENCES = ("order_numbers", "purchase_order_numbers", "shipment_numbers", "claim_numbers")

# Offices' names and the policies are the network's own: everybody may read them.
ISOLATED = {
    "balance": "client_id",
    "basket_item": "client_id",
    "claim": "client_id",
    "client": "client_id",
    "customer_order": "client_id",
    "inquiry": None,
    "inquiry_task": None,
    "position": "client_id",
    "purchase_order": None,
    "purchase_order_line": None,
    "shipment": "client_id",
    "staff": None,
    "supplier": None,
    "supplier_day": None,
    "vehicle": "client_id",
    "vin_answer": "client_id",
}


def upgrade() -> None:
    create_kernel_tables()
    op.create_table(
        "balance",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("balance", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("held", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("available", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_balance")),
    )
    op.create_table(
        "basket_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vehicle", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("article", sa.String(length=100), nullable=False),
        sa.Column("brand", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("sale_price", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("purchase_price", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("supplier_id", sa.Uuid(), nullable=True),
        sa.Column("term_days", sa.BigInteger(), nullable=True),
        sa.Column("supply_label", sa.String(length=20), nullable=True),
        sa.Column("no_catalogue", sa.Boolean(), nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=True),
        sa.Column("vin_request_id", sa.Uuid(), nullable=True),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basket_item")),
    )
    op.create_index(
        op.f("ix_basket_item_client_id_added_at_id"), "basket_item", ["client_id", "added_at", "id"], unique=False
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("name_verified", sa.Boolean(), nullable=False),
        sa.Column("organization_name", sa.String(), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("category", sa.String(length=50), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
    )
    op.create_index(op.f("ix_client_office_id"), "client", ["office_id"], unique=False)
    op.create_table(
        "customer_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "moderation",
                "ordered",
                "ready",
                "issued",
                "returned",
                "refused",
                "removed",
                name="orderstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("client_category", sa.String(length=50), nullable=False),
        sa.Column("client_kind", sa.String(length=24), nullable=False),
        sa.Column("wholesale", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("check_requested", sa.Boolean(), nullable=False),
        sa.Column("check_completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("vehicle", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("disclosures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("delivery", sa.String(length=16), nullable=False),
        sa.Column("delivery_city", sa.String(length=100), nullable=True),
        sa.Column("delivery_note", sa.String(length=1000), nullable=True),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        sa.UniqueConstraint("number", name=op.f("uq_customer_order_number")),
    )
    op.create_index(
        "ix_customer_order_client",
        "customer_order",
        ["client_id", sa.literal_column("placed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_customer_order_office",
        "customer_order",
        ["office_id", sa.literal_column("placed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_customer_order_office_state",
        "customer_order",
        ["office_id", "state", sa.literal_column("placed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_customer_order_placed",
        "customer_order",
        [sa.literal_column("placed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_customer_order_state",
        "customer_order",
        ["state", sa.literal_column("placed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "inquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("customer_type", sa.String(length=24), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=50), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("delivery", sa.Boolean(), nullable=False),
        sa.Column("call_back_promised", sa.Boolean(), nullable=False),
        sa.Column("internet_advantages_told", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(length=4000), nullable=True),
        sa.Column("suggested_mark", sa.String(length=8), nullable=True),
        sa.Column("criteria", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("lost_reason", sa.String(length=50), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
    )
    op.create_index(
        "ix_inquiry_office",
        "inquiry",
        ["office_id", sa.literal_column("recorded_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_inquiry_office_status",
        "inquiry",
        ["office_id", "status", sa.literal_column("recorded_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_inquiry_recorded",
        "inquiry",
        [sa.literal_column("recorded_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_inquiry_staff",
        "inquiry",
        ["staff_id", sa.literal_column("recorded_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "office",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("courier_delivery", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_office")),
    )
    op.create_table(
        "policy",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "effective_from", name=op.f("pk_policy")),
    )
    op.create_table(
        "shipment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("disclosures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("number", name=op.f("uq_shipment_number")),
    )
    op.create_index(
        "ix_shipment_client",
        "shipment",
        ["client_id", sa.literal_column("issued_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_shipment_issued",
        "shipment",
        [sa.literal_column("issued_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_shipment_office",
        "shipment",
        ["office_id", sa.literal_column("issued_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff")),
    )
    op.create_index(op.f("ix_staff_office_id_role"), "staff", ["office_id", "role"], unique=False)
    op.create_table(
        "supplier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=50), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
    )
    op.create_index("ix_supplier_name", "supplier", ["name", "id"], unique=False)
    op.create_index("uq_supplier_office_name", "supplier", ["office_id", "name"], unique=True)
    op.create_table(
        "supplier_day",
        sa.Column("supplier_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("supplied", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("late_days", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("supplier_id", "day", name=op.f("pk_supplier_day")),
    )
    op.create_table(
        "vehicle",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("pk_vehicle")),
    )
    op.create_index(op.f("ix_vehicle_client_id"), "vehicle", ["client_id"], unique=False)
    op.create_table(
        "vin_answer",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("vehicle", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_vin_answer")),
    )
    op.create_index(op.f("ix_vin_answer_client_id"), "vin_answer", ["client_id"], unique=False)
    op.create_table(
        "inquiry_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inquiry_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(length=1000), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_task_inquiry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry_task")),
    )
    op.create_index("ix_inquiry_task_due", "inquiry_task", ["due_at", "id"], unique=False)
    op.create_index("ix_inquiry_task_inquiry", "inquiry_task", ["inquiry_id", "due_at", "id"], unique=False)
    op.create_index(
        "ix_inquiry_task_open",
        "inquiry_task",
        ["office_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_inquiry_task_staff_open",
        "inquiry_task",
        ["staff_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "position",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.String(length=40), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "moderation",
                "ordered",
                "ready",
                "issued",
                "removed",
                "refused",
                "returned",
                name="positionstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("applicable", sa.Boolean(), nullable=True),
        sa.Column("check_comment", sa.String(length=1000), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("manager_comment", sa.String(length=1000), nullable=True),
        sa.Column("client_comment", sa.String(length=1000), nullable=True),
        sa.Column("removal_reason", sa.String(length=50), nullable=True),
        sa.Column("refusal_reason", sa.String(length=1000), nullable=True),
        sa.Column("finally_refused", sa.Boolean(), nullable=False),
        sa.Column("purchase_order_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("origin_id", sa.Uuid(), nullable=True),
        sa.Column("split_from_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("article", sa.String(length=100), nullable=False),
        sa.Column("brand", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("sale_price", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("purchase_price", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("supplier_id", sa.Uuid(), nullable=True),
        sa.Column("term_days", sa.BigInteger(), nullable=True),
        sa.Column("supply_label", sa.String(length=20), nullable=True),
        sa.Column("no_catalogue", sa.Boolean(), nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=True),
        sa.Column("vin_request_id", sa.Uuid(), nullable=True),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_position_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position")),
    )
    op.create_index(
        "ix_position_changed",
        "position",
        [sa.literal_column("state_changed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_position_client",
        "position",
        ["client_id", sa.literal_column("state_changed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_position_moderated",
        "position",
        ["client_id"],
        unique=False,
        postgresql_where=sa.text("state = 'moderation'"),
    )
    op.create_index(
        "ix_position_office",
        "position",
        ["office_id", sa.literal_column("state_changed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_position_office_state",
        "position",
        ["office_id", "state", sa.literal_column("state_changed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_position_order", "position", ["order_id", "line", "id"], unique=False)
    op.create_index(
        "ix_position_shipment",
        "position",
        ["shipment_id"],
        unique=False,
        postgresql_where=sa.text("shipment_id IS NOT NULL"),
    )
    op.create_index(
        "ix_position_supplier",
        "position",
        ["supplier_id", sa.literal_column("state_changed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("supplier_id IS NOT NULL"),
    )
    op.create_index(
        "ix_position_state",
        "position",
        ["state", sa.literal_column("state_changed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "purchase_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("supplier_id", sa.Uuid(), nullable=False),
        sa.Column("supplier_name", sa.String(length=200), nullable=False),
        sa.Column("supplier_email", sa.String(length=254), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("sendings", sa.BigInteger(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_purchase_order_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_order_number")),
    )
    op.create_index(
        "ix_purchase_order_office",
        "purchase_order",
        ["office_id", sa.literal_column("sent_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_purchase_order_sent",
        "purchase_order",
        [sa.literal_column("sent_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_purchase_order_supplier",
        "purchase_order",
        ["supplier_id", sa.literal_column("sent_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("article", sa.String(length=100), nullable=False),
        sa.Column("brand", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("purchase_amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column(
            "ground",
            sa.Enum("unwanted", "warranty", "missort", name="ground", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("client_kind", sa.String(length=24), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=4000), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supplier_verdict", sa.String(length=24), nullable=True),
        sa.Column("supplier_comment", sa.String(length=1000), nullable=True),
        sa.Column("supplier_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offer_code", sa.String(length=24), nullable=True),
        sa.Column("offer_text", sa.String(length=500), nullable=True),
        sa.Column("discount_percent", sa.BigInteger(), nullable=True),
        sa.Column("agreed_price", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("next_discount_percent", sa.BigInteger(), nullable=True),
        sa.Column("discount_scope", sa.String(length=24), nullable=True),
        sa.Column("keeping_refund", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("client_answer", sa.String(length=24), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=24), nullable=True),
        sa.Column("decision_reason", sa.String(length=4000), nullable=True),
        sa.Column("refund", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_claim_order_id")),
        sa.ForeignKeyConstraint(["position_id"], ["position.id"], name=op.f("fk_claim_position_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("number", name=op.f("uq_claim_number")),
    )
    op.create_index(
        "ix_claim_client",
        "claim",
        ["client_id", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_claim_office",
        "claim",
        ["office_id", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_claim_office_open",
        "claim",
        ["office_id", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_index(
        "ix_claim_opened", "claim", [sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "uq_claim_open_position", "claim", ["position_id"], unique=True, postgresql_where=sa.text("decision IS NULL")
    )
    op.create_table(
        "purchase_order_line",
        sa.Column("purchase_order_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("article", sa.String(length=100), nullable=False),
        sa.Column("brand", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("purchase_price", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_purchase_order_line_purchase_order_id")
        ),
        sa.PrimaryKeyConstraint("purchase_order_id", "line", name=op.f("pk_purchase_order_line")),
    )
    for sequence in SEQUENCES:
        op.execute(f"CREATE SEQUENCE {sequence}")
    for table, client_column in ISOLATED.items():
        isolate_by_office(table, client_column=client_column)
