"""Working calendars: the data of an office's working time, as it is stored, edited and carried by events."""

from collections.abc import Mapping
from datetime import date, time
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

MINUTES_A_DAY = 24 * 60


def _minutes_after_midnight(value: object) -> int:
    """Convert "09:30", "24:00", datetime.time or minutes after midnight."""
    if isinstance(value, time):
        if value.second or value.microsecond or value.tzinfo:
            raise ValueError("время указывается целыми минутами и без часового пояса")
        return value.hour * 60 + value.minute
    if isinstance(value, int) and not isinstance(value, bool):
        minutes = value
    elif isinstance(value, str) and len(value) == 5 and value.isascii() and value[2] == ":":
        hours_text, minutes_text = value[:2], value[3:]
        if not (hours_text.isdigit() and minutes_text.isdigit() and int(minutes_text) < 60):
            raise ValueError("время пишется как ЧЧ:ММ, например 09:00")
        minutes = int(hours_text) * 60 + int(minutes_text)
    else:
        raise ValueError("время пишется как ЧЧ:ММ, например 09:00")
    if not 0 <= minutes <= MINUTES_A_DAY:
        raise ValueError("время суток от 00:00 до 24:00")
    return minutes


def format_local_time(minutes: int) -> str:
    """Return minutes after midnight as "HH:MM"."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


LocalTime = Annotated[
    int,
    BeforeValidator(_minutes_after_midnight),
    PlainSerializer(format_local_time, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "examples": ["09:00"]}),
]
"""Minutes after midnight in Python, "HH:MM" in JSON; "24:00" is the end of the day."""

Interval = tuple[LocalTime, LocalTime]


def _in_order(intervals: tuple[Interval, ...]) -> tuple[Interval, ...]:
    for opens, closes in intervals:
        if opens >= closes:
            raise ValueError("начало промежутка раньше его конца; промежуток через полночь разделите в 24:00")
    for (_, earlier_close), (later_open, _) in pairwise(intervals):
        if later_open < earlier_close:
            raise ValueError("промежутки одного дня идут по порядку и не пересекаются")
    return intervals


DayHours = Annotated[tuple[Interval, ...], Field(max_length=24), AfterValidator(_in_order)]
"""Opening hours of one day in order; the time between two of them is lunch; an empty tuple is a day off."""


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:  # The name of a folder in the zone database raises OSError.
        raise ValueError(f"неизвестный часовой пояс {value!r}") from error
    return value


class WorkingCalendar(BaseModel):
    """When an office works.

    A day's hours are, in this order of precedence: `exceptions`, the public holidays of Russia with their transfers
    (only with `public_holidays`), `weekly`. On a working Saturday the hours are the office's own Saturday hours, or,
    where it is closed on Saturdays, those of the weekday that the Saturday replaces.

    `shortened_days` says by how many minutes a date closes earlier. With `public_holidays` the days that the Labour
    Code shortens (article 95: the one directly before a public holiday) close an hour earlier without being listed;
    0 lists a day as not shortened. Hours given in `exceptions` are never shortened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
    weekly: Annotated[tuple[DayHours, ...], Field(min_length=7, max_length=7)]
    """Monday first."""
    exceptions: Annotated[dict[date, DayHours], Field(max_length=4_000)] = {}
    public_holidays: bool = False
    shortened_days: Annotated[dict[date, Annotated[int, Field(ge=0, le=MINUTES_A_DAY)]], Field(max_length=4_000)] = {}
    version: Annotated[int, Field(ge=1)] = 1

    @cached_property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.time_zone)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a validated copy; pydantic's own would keep the timeline compiled for this calendar."""
        return self.model_validate({**self.model_dump(), **(update or {})})


Hours = tuple[tuple[str, str], ...]


def office_week(
    weekdays: Hours = (("09:00", "13:00"), ("14:00", "18:00")), saturday: Hours = (), sunday: Hours = ()
) -> tuple[Hours, ...]:
    """Return the `weekly` of an office that works the same hours from Monday to Friday."""
    return (*((weekdays,) * 5), saturday, sunday)


ROUND_THE_CLOCK: tuple[Hours, ...] = ((("00:00", "24:00"),),) * 7
"""The `weekly` of an office that never closes, for demonstrations."""
