"""Clocks of the day: what opens, what closes, whatever the order of events."""

from services.notifier.clock.domain.facts import CONCERNS
from services.notifier.consumers import consumers


def test_every_event_that_clocks_hear_waits_for_its_turn() -> None:
    """Two events about one client at once would not see each other's duties."""
    assert set(consumers.lock_keys) == set(CONCERNS)
