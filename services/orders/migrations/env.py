"""Alembic's entry point."""

from services.orders.models import Base
from shared.persistence.migrations import run

run(Base.metadata)
