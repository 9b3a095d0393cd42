"""«96/3»: probability of supply in % / average days late (ORD-16, K14)."""

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
        """None without history: a new supplier is neither good nor bad."""
        asked = self.supplied + self.refused
        return None if asked == 0 else (self.supplied * 200 + asked) // (asked * 2)

    @property
    def average_days_late(self) -> int | None:
        """Rounded to whole days; None when nothing was supplied yet."""
        return None if self.supplied == 0 else (self.late_days * 2 + self.supplied) // (self.supplied * 2)

    @property
    def label(self) -> str | None:
        """«96/3»; «0/—» where everything was refused."""
        if self.supplied_percent is None:
            return None
        late = self.average_days_late
        return f"{self.supplied_percent}/{'—' if late is None else late}"


def days_late(promised_at: datetime | None, received_at: datetime) -> int:
    """Whole days past the promise; what came early is not late, and nothing is late without a promise."""
    if promised_at is None or received_at <= promised_at:
        return 0
    return (received_at - promised_at).days
