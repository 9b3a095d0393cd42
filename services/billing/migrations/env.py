"""Alembic's entry point."""

from services.billing.models import Base
from shared.persistence.migrations import run

run(Base.metadata)
