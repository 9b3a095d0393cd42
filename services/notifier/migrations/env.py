"""Alembic's entry point."""

from services.notifier import clock_models, delivery_models
from shared.persistence.migrations import run

assert clock_models.Base is delivery_models.Base  # Importing both declares all tables.
run(clock_models.Base.metadata)
