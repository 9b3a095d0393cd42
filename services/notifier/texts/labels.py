"""Russian labels of the codes that people see."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.vocabulary.worktime import Duration, Unit

_UNITS = {
    Unit.WORKING_MINUTES: ("рабочая минута", "рабочие минуты", "рабочих минут"),
    Unit.WORKING_DAYS: ("рабочий день", "рабочих дня", "рабочих дней"),
    Unit.CALENDAR_HOURS: ("час", "часа", "часов"),
    Unit.SECONDS: ("секунда", "секунды", "секунд"),
}


def plural(number: int, one: str, few: str, many: str) -> str:
    """Return the form that goes with the number: «1 час, 2 часа, 5 часов»."""
    if number % 10 == 1 and number % 100 != 11:
        return one
    return few if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else many


def duration_ru(duration: Duration) -> str:
    """Return «20 рабочих минут»."""
    return f"{duration.amount} {plural(duration.amount, *_UNITS[duration.unit])}"


def length_ru(length: timedelta) -> str:
    """Return «2 дн. 3 ч», «12 мин», «8 с»: two units at most."""
    seconds = max(0, int(length.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} дн. {hours} ч" if hours else f"{days} дн."
    if hours:
        return f"{hours} ч {minutes} мин" if minutes else f"{hours} ч"
    return f"{minutes} мин" if minutes else f"{seconds} с"


def moment_ru(moment: datetime, zone: str) -> str:
    """Return «21.11.2026 10:42» by the zone's clock."""
    return f"{moment.astimezone(ZoneInfo(zone)):%d.%m.%Y %H:%M}"
