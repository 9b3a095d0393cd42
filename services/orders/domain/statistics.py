"""«96/3»: share of supplied positions in per cent / average lateness in days (ORD-16, K14)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SupplyStatistics:
    """Counts of our own history with one supplier."""

    supplied: int
    refused: int
    late_days: int

    @property
    def supplied_percent(self) -> int | None:
        """Return the share supplied, rounded; None without history."""
        asked = self.supplied + self.refused
        return None if asked == 0 else (self.supplied * 200 + asked) // (asked * 2)

    @property
    def average_days_late(self) -> int | None:
        """Return the average lateness in whole days; None when nothing was supplied yet."""
        return None if self.supplied == 0 else (self.late_days * 2 + self.supplied) // (self.supplied * 2)

    @property
    def label(self) -> str | None:
        """Return «96/3», «0/—» where everything was refused, None without history."""
        if self.supplied_percent is None:
            return None
        late = self.average_days_late
        return f"{self.supplied_percent}/{'—' if late is None else late}"


def days_late(promised_at: datetime | None, received_at: datetime) -> int:
    """Return whole days past the promise: 0 when it came in time or no term was promised."""
    if promised_at is None or received_at <= promised_at:
        return 0
    return (received_at - promised_at).days
