"""Lists of an office come from their indexes at any number of rows."""

from shared.persistence.migrations import replace_isolation_policy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_CLIENTS = (
    "cabinet_messages",
    "clients",
)
OF_OFFICES = (
    "absences",
    "heard_events",
    "inbound_mails",
    "mailbox_states",
    "mailboxes",
    "notice_attachments",
    "notice_attempts",
    "notices",
    "obligation_history",
    "obligation_levels",
    "obligation_remarks",
    "obligations",
    "phone_calls",
    "sms_usage",
    "subjects",
)


def upgrade() -> None:
    for table in OF_CLIENTS:
        replace_isolation_policy(table, client_column="client_id")
    for table in OF_OFFICES:
        replace_isolation_policy(table)
