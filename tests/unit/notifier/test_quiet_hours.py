"""When a notice may go out, by the recipient's clock; and what is forgotten when."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.delivery.domain.delivery import RETRY_PERIOD, QuietHours, retry_delay
from services.notifier.texts.labels import duration_ru, length_ru, plural
from shared.vocabulary.worktime import Duration, Unit

NIGHT = QuietHours(time(21), time(8))


TAGIL = "Asia/Yekaterinburg"


def local(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(TAGIL)).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        (local(20, 59), None),
        (local(21, 0), local(8, 0, day=24)),
        (local(23, 59), local(8, 0, day=24)),
        (local(0, 0), local(8, 0)),
        (local(7, 59), local(8, 0)),
        (local(8, 0), None),
        (local(12, 0), None),
    ],
)
def test_an_sms_waits_until_the_recipients_morning(moment: datetime, until: datetime | None) -> None:
    assert NIGHT.until(moment, TAGIL) == until


def test_the_same_moment_is_night_for_one_and_day_for_another() -> None:
    moment = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 20:00 in Moscow, 22:00 in Yekaterinburg.
    assert NIGHT.until(moment, "Europe/Moscow") is None
    assert NIGHT.until(moment, TAGIL) is not None


def test_quiet_hours_may_lie_within_a_day_or_be_empty() -> None:
    lunch = QuietHours(time(13), time(14))
    assert lunch.until(local(13, 30), TAGIL) == local(14)
    assert lunch.until(local(14), TAGIL) is None
    assert QuietHours(time(0), time(0)).until(local(3), TAGIL) is None


def test_the_night_in_which_clocks_go_back_ends_after_it_began() -> None:
    second_time = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 in Berlin for the second time.
    assert QuietHours(time(1), time(2, 30)).until(second_time, "Europe/Berlin") == second_time + timedelta(minutes=20)


@given(
    moment=st.integers(0, 2_000_000).map(lambda minute: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    zone=st.sampled_from(["Asia/Yekaterinburg", "Europe/Kaliningrad", "Asia/Kamchatka", "Europe/Berlin"]),
    begin=st.times().map(lambda value: value.replace(second=0, microsecond=0)),
    end=st.times().map(lambda value: value.replace(second=0, microsecond=0)),
)
def test_what_is_put_off_goes_out_later_and_within_a_day(moment: datetime, zone: str, begin: time, end: time) -> None:
    hours = QuietHours(begin, end)
    until = hours.until(moment, zone)
    if until is not None:
        assert moment < until <= moment + RETRY_PERIOD + timedelta(hours=1)  # A change of the clock may add an hour.


def test_the_pauses_between_tries_grow_and_end_within_the_day() -> None:
    pauses = [retry_delay(attempt) for attempt in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=1) and pauses[-1] == timedelta(hours=1)


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "час"), (2, "часа"), (5, "часов"), (11, "часов"), (12, "часов"), (21, "час"), (104, "часа"), (111, "часов")],
)
def test_russian_plurals(number: int, word: str) -> None:
    assert plural(number, "час", "часа", "часов") == word


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 с"),
        (59, "59 с"),
        (60, "1 мин"),
        (3600, "1 ч"),
        (4320, "1 ч 12 мин"),
        (86_400, "1 дн."),
        (97_200, "1 дн. 3 ч"),
    ],
)
def test_lengths_are_said_in_two_units_at_most(seconds: int, said: str) -> None:
    assert length_ru(timedelta(seconds=seconds)) == said


def test_durations_are_said_with_their_unit() -> None:
    assert duration_ru(Duration(amount=3, unit=Unit.WORKING_DAYS)) == "3 рабочих дня"
    assert duration_ru(Duration(amount=21, unit=Unit.WORKING_MINUTES)) == "21 рабочая минута"
