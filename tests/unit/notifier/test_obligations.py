"""Clocks of the day: what opens, what closes, whatever the order of events."""

from services.notifier.clock.domain.facts import CONCERNS
from services.notifier.consumers import consumers


def test_every_event_of_the_clock_is_serialized() -> None:
    """Two events about one client in parallel would not see each other's obligations."""
    assert set(consumers.lock_keys) == set(CONCERNS)
