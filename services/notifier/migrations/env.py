"""Alembic's entry point."""

from services.notifier.models import Base
from shared.migrations import run

run(Base.metadata)
