"""Rules of sending: quiet hours, retries, the state after a receipt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

RETRY_PERIOD = timedelta(hours=24)
"""How long a notice is retried after temporary refusals."""
SEND_CHANNEL = "notifier_notices"
"""The NOTIFY channel that wakes the loops that send."""
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40, 60))


@dataclass(frozen=True)
class QuietHours:
    """No SMS between these local times of the recipient; they may span midnight."""

    begin: time
    end: time

    def until(self, moment: datetime, zone: str) -> datetime | None:
        """Return when the quiet hours that contain `moment` end, in UTC; None outside them."""
        if self.begin == self.end:
            return None
        local = moment.astimezone(ZoneInfo(zone))
        clock = local.time().replace(tzinfo=None)
        spans_midnight = self.begin > self.end
        quiet = (clock >= self.begin or clock < self.end) if spans_midnight else self.begin <= clock < self.end
        if not quiet:
            return None
        day = local.date() + timedelta(days=1) if spans_midnight and clock >= self.begin else local.date()
        end = datetime.combine(day, self.end, tzinfo=ZoneInfo(zone))
        # In the night when clocks go back the same local time comes twice; the second one may be meant.
        ends = [end.replace(fold=fold).astimezone(moment.tzinfo) for fold in (0, 1)]
        return next((candidate for candidate in ends if candidate > moment), None)


def retry_delay(attempts: int) -> timedelta:
    """Return the growing pause before the next attempt."""
    return _PAUSES[min(attempts, len(_PAUSES)) - 1]


_FINALITY = {"sending": 0, "unknown": 0, "sent": 1, "expired": 2, "failed": 3, "delivered": 4}
_RECEIPT_STATES = {"queued": "sent", "sent": "sent", "delivered": "delivered", "failed": "failed", "expired": "expired"}


def state_after_receipt(state: str, receipt: str) -> str:
    """Return the state of a notice after its gateway's `receipt`.

    Receipts come twice and out of order: no state goes back, and of two ends the better known one stays, so that the
    same receipts in any order make the same state.  A notice that waits to be sent again is left alone.
    """
    new_state = _RECEIPT_STATES.get(receipt)
    if new_state is None or state not in _FINALITY:
        return state
    return new_state if _FINALITY[new_state] > _FINALITY[state] else state


def combine_parts(receipts_by_part: Sequence[Iterable[str]]) -> str | None:
    """Return one receipt for a message from all receipts of each of its parts; None while there are none.

    It is delivered when all of its parts are, and fails with the first part that fails.
    """
    states = [reduce(state_after_receipt, receipts, "sending") for receipts in receipts_by_part]
    for end in ("failed", "expired"):
        if end in states:
            return end
    if set(states) == {"sending"}:
        return None
    return "delivered" if set(states) == {"delivered"} else "sent"
