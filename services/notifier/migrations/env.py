"""Alembic's entry point."""

from services.notifier.delivery_models import Base
from shared.migrations import run

run(Base.metadata)
