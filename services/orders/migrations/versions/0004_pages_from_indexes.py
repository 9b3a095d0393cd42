"""Isolation policies that let lists of an office use their indexes at any number of rows."""

from shared.persistence.migrations import replace_isolation_policy

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OF_CLIENTS = (
    "balance",
    "basket_item",
    "claim",
    "client",
    "customer_order",
    "position",
    "shipment",
    "vehicle",
    "vin_answer",
)
OF_OFFICES = (
    "inquiry",
    "inquiry_task",
    "purchase_order",
    "purchase_order_line",
    "staff",
    "supplier",
    "supplier_day",
)


def upgrade() -> None:
    for table in OF_CLIENTS:
        replace_isolation_policy(table, client_column="client_id")
    for table in OF_OFFICES:
        replace_isolation_policy(table)
