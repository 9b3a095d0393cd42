"""Working time counted minute by minute: slow, obvious, and sharing no code with `shared.worktime`.

A minute is judged by the hands of the office's clock. In the hour that an autumn night repeats the hands stay where
they had come to, because an office that is open does not close again when the clock is put back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
Hours = Sequence[tuple[int, int]]


class Oracle:
    def __init__(
        self, zone: str, weekly: Sequence[Hours], exceptions: Mapping[date, Hours], first: datetime, last: datetime
    ) -> None:
        self.first = first
        self.working: list[bool] = []
        self.hands: list[datetime] = []
        zone_info = ZoneInfo(zone)
        hands = (first - timedelta(days=2)).astimezone(zone_info).replace(tzinfo=None)
        minute = first - timedelta(hours=4)
        while minute < last:
            hands = max(hands, minute.astimezone(zone_info).replace(tzinfo=None))
            if minute >= first:
                hours = exceptions.get(hands.date(), weekly[hands.weekday()])
                minutes_of_day = hands.hour * 60 + hands.minute
                self.working.append(any(opens <= minutes_of_day < closes for opens, closes in hours))
                self.hands.append(hands)
            minute += MINUTE

    def index(self, instant: datetime) -> int:
        return int((instant - self.first) / MINUTE)

    def instant(self, index: int) -> datetime:
        return self.first + index * MINUTE

    def between(self, begin: datetime, end: datetime) -> int:
        return sum(self.working[self.index(begin) : self.index(end)])

    def next_open(self, start: datetime) -> int | None:
        return next((index for index in range(self.index(start), len(self.working)) if self.working[index]), None)

    def add_minutes(self, start: datetime, minutes: int) -> datetime | None:
        """None: not reached within the oracle's time."""
        index = self.next_open(start)
        if index is None:
            return None
        counted = 0
        while counted < minutes:
            if index >= len(self.working):
                return None
            counted += self.working[index]
            index += 1
        return self.instant(index)

    def add_days(self, start: datetime, days: int) -> datetime | None:
        opening = self.next_open(start)
        if opening is None:
            return None
        if days == 0:
            return self.instant(opening)
        dates = sorted({hands.date() for hands, works in zip(self.hands, self.working, strict=True) if works})
        position = dates.index(self.hands[opening].date()) + days
        if position >= len(dates):
            return None
        day = dates[position]
        wanted = datetime.combine(day, self.hands[opening].time())
        if day >= self.hands[-1].date():
            return None
        works = [
            index
            for index, (hands, is_working) in enumerate(zip(self.hands, self.working, strict=True))
            if is_working and hands.date() == day
        ]
        later = [index for index in works if self.hands[index] >= wanted]
        closing_before = [index + 1 for index in works if self.hands[index] + MINUTE <= wanted]
        reached = next(index for index, hands in enumerate(self.hands) if hands >= wanted)
        if reached in closing_before:  # Exactly at a closing, of lunch or of the day.
            return self.instant(reached)
        return self.instant(later[0]) if later else self.instant(works[-1] + 1)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
