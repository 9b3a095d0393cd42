"""Isolation policies that let lists of an office use their indexes at any number of rows."""

from shared.persistence.migrations import replace_isolation_policy

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OF_CLIENTS = (
    "answers",
    "clients",
    "garage_vehicles",
    "lines",
    "requests",
)
OF_OFFICES = (
    "client_calls",
    "deadlines",
)


def upgrade() -> None:
    for table in OF_CLIENTS:
        replace_isolation_policy(table, client_column="client_id")
    for table in OF_OFFICES:
        replace_isolation_policy(table)
