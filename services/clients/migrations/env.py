"""Alembic's entry point."""

from services.clients.models import Base
from shared.migrations import run

run(Base.metadata)
