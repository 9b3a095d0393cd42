"""Alembic's entry point."""

from services.clients.models import Base
from shared.persistence.migrations import run

run(Base.metadata)
