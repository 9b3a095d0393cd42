"""Alembic's entry point."""

from services.billing.models import Base
from shared.migrations import run

run(Base.metadata)
