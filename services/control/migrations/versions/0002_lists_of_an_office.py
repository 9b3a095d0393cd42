"""Lists of an office come from their indexes at any number of rows."""

from shared.persistence.migrations import replace_isolation_policy

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OF_OFFICES = (
    "calls",
    "inquiries",
    "monthly_turnover",
    "obligations",
    "office_calendars",
    "offices",
    "penalty_entries",
    "staff",
)


def upgrade() -> None:
    for table in OF_OFFICES:
        replace_isolation_policy(table)
