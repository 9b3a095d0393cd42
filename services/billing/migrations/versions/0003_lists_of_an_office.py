"""Lists of an office come from their indexes at any number of rows."""

from shared.persistence.migrations import replace_isolation_policy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OF_CLIENTS = (
    "accounts",
    "clients",
    "documents",
    "invoices",
    "ledger_entries",
    "ledger_postings",
    "orders",
    "payers",
    "payments",
    "payouts",
    "positions",
    "receipts",
)
OF_OFFICES = ("statement_lines",)


def upgrade() -> None:
    for table in OF_CLIENTS:
        replace_isolation_policy(table, client_column="client_id")
    for table in OF_OFFICES:
        replace_isolation_policy(table)
