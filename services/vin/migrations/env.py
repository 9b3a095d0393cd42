"""Alembic's entry point."""

from services.vin.models import Base
from shared.persistence.migrations import run

run(Base.metadata)
