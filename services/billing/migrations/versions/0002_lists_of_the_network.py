"""Head office reads the lists of all offices at once: indexes without the office."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_ledger_entries_at", "ledger_entries", ["at", "id"])
    op.create_index("ix_invoices_issued_at", "invoices", ["issued_at", "id"])
    op.create_index("ix_payments_received_at", "payments", ["received_at", "id"])
    op.create_index("ix_statement_lines_state", "statement_lines", ["state", "uploaded_at", "id"])
    op.create_index("ix_documents_made_at", "documents", ["made_at", "id"])
    op.create_index("ix_receipts_requested_at", "receipts", ["requested_at", "id"])
