"""Working calendars and deadline arithmetic. Pure: no framework, no input or output, no clock."""

from shared.vocabulary.worktime.arithmetic import (
    Duration,
    NoWorkingTime,
    Unit,
    add_working_days,
    add_working_minutes,
    deadline,
    working_minutes_between,
    working_time_between,
)
from shared.vocabulary.worktime.calendar import ROUND_THE_CLOCK, WorkingCalendar, office_week
from shared.vocabulary.worktime.day import Reason
from shared.vocabulary.worktime.explanation import CountedInterval, explain, explain_ru

__all__ = [
    "ROUND_THE_CLOCK",
    "CountedInterval",
    "Duration",
    "NoWorkingTime",
    "Reason",
    "Unit",
    "WorkingCalendar",
    "add_working_days",
    "add_working_minutes",
    "deadline",
    "explain",
    "explain_ru",
    "office_week",
    "working_minutes_between",
    "working_time_between",
]
