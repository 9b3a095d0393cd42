"""Tables of the clock: rules, obligations and what the clock has received."""

from services.notifier.clock.models import events, obligations, rules

__all__ = ["events", "obligations", "rules"]
