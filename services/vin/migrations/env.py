"""Alembic's entry point."""

from services.vin.models import Base
from shared.migrations import run

run(Base.metadata)
