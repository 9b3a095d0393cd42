"""Alembic's entry point."""

from services.notifier.clock.models import rules
from services.notifier.delivery import models
from shared.persistence.migrations import run

assert rules.Base is models.Base  # Importing both declares all tables.
run(rules.Base.metadata)
