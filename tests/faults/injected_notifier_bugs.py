"""Injected bugs of the clock and of SMS; see `injected_bugs`."""

from typing import Any


def engine_without_lock() -> None:
    """Let every engine fire due steps, also those that another engine is firing."""
    from services.notifier.clock.store import due, unit_of_work

    assert "FOR UPDATE SKIP LOCKED" in due._CLAIM
    due._CLAIM = due._CLAIM.replace("FOR UPDATE SKIP LOCKED", "")
    # Else the key of the table would stop it.
    unit_of_work._PARTS["levels"] += " ON CONFLICT DO NOTHING"


def engine_fires_early() -> None:
    """Fire steps half a second early."""
    from services.notifier.clock.store import due

    assert "next_at <= now()" in due._CLAIM
    due._CLAIM = due._CLAIM.replace("next_at <= now()", "next_at <= now() + interval '500 milliseconds'")


def close_that_does_not_stop() -> None:
    """Let a closed obligation keep its next step."""
    from services.notifier.clock.commands import apply_event, handling
    from services.notifier.clock.commands.obligations import close
    from services.notifier.clock.domain.obligation import ObligationRecord

    def close_only(work: Any, obligation: ObligationRecord, *arguments: Any, **options: Any) -> None:
        kept = obligation.next_step, obligation.next_at
        close(work, obligation, *arguments, **options)
        obligation.next_step, obligation.next_at = kept

    setattr(apply_event, "close", close_only)  # noqa: B010 (an import)
    setattr(handling, "close", close_only)  # noqa: B010 (an import)


def pause_that_moves_nothing() -> None:
    """Resume a clock without moving its steps by the pause."""
    from services.notifier.clock.commands import waiting

    setattr(waiting, "after_pause", lambda _calendar, moment, *_, **__: moment)  # noqa: B010 (an import)


def last_receipt_counts() -> None:
    """Take the last receipt for the state."""
    from services.notifier.delivery.commands import receipts
    from services.notifier.delivery.domain import delivery

    def state_after_receipt(state: str, receipt: str) -> str:
        return delivery._RECEIPT_STATES.get(receipt, state)

    delivery.state_after_receipt = state_after_receipt
    setattr(receipts, "state_after_receipt", state_after_receipt)  # noqa: B010 (an import)


BUGS = (
    engine_without_lock,
    engine_fires_early,
    close_that_does_not_stop,
    pause_that_moves_nothing,
    last_receipt_counts,
)
