"""Named cases. Times of an office in Moscow (UTC+3) unless a case says otherwise."""

import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.vocabulary.worktime import (
    ROUND_THE_CLOCK,
    Duration,
    NoWorkingTime,
    Reason,
    Unit,
    WorkingCalendar,
    add_working_days,
    add_working_minutes,
    deadline,
    explain,
    explain_ru,
    office_week,
    working_minutes_between,
)
from shared.vocabulary.worktime.russia import russian_year
from shared.vocabulary.worktime.timeline import instant_of, timeline_of
from tests.unit.vocabulary.worktime_oracle import utc


def calendar_of(**changes: Any) -> WorkingCalendar:
    return WorkingCalendar.model_validate({"time_zone": "Europe/Moscow", "weekly": office_week(), **changes})


def local(text: str, zone: str = "Europe/Moscow") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


OFFICE = calendar_of()
RUSSIAN = calendar_of(public_holidays=True)


# Minutes. 2026-01-19 is a Monday.


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        pytest.param("2026-01-19 10:42", 20, "2026-01-19 11:02", id="inside-the-morning"),
        pytest.param("2026-01-19 12:50", 20, "2026-01-19 14:10", id="lunch-is-not-counted"),
        pytest.param("2026-01-19 13:30", 20, "2026-01-19 14:20", id="a-start-inside-lunch"),
        pytest.param("2026-01-19 16:00", 120, "2026-01-19 18:00", id="ends-exactly-at-closing"),
        pytest.param("2026-01-19 11:00", 120, "2026-01-19 13:00", id="ends-exactly-at-lunch"),
        pytest.param("2026-01-19 17:50", 20, "2026-01-20 09:10", id="continues-next-morning"),
        pytest.param("2026-01-19 18:00", 20, "2026-01-20 09:20", id="a-start-at-closing-counts-from-next-opening"),
        pytest.param("2026-01-19 22:15", 20, "2026-01-20 09:20", id="a-start-at-night"),
        pytest.param("2026-01-19 03:15", 20, "2026-01-19 09:20", id="a-start-before-opening"),
        pytest.param("2026-01-16 17:50", 20, "2026-01-19 09:10", id="over-the-weekend"),
        pytest.param("2026-01-17 12:00", 20, "2026-01-19 09:20", id="a-start-on-saturday"),
        pytest.param("2026-01-17 12:00", 0, "2026-01-19 09:00", id="nothing-to-add-still-waits-for-opening"),
        pytest.param("2026-01-19 09:00", 8 * 60, "2026-01-19 18:00", id="a-whole-day"),
        pytest.param("2026-01-19 09:00", 5 * 8 * 60 + 1, "2026-01-26 09:01", id="a-whole-week-and-a-minute"),
        pytest.param("2025-12-31 17:30", 60, "2026-01-01 09:30", id="over-new-year"),
    ],
)
def test_add_working_minutes(start: str, minutes: int, due: str) -> None:
    assert add_working_minutes(OFFICE, local(start), minutes) == local(due)


def test_seconds_and_fractions_of_a_minute_are_kept() -> None:
    start = local("2026-01-19 12:59:59.250000")
    assert add_working_minutes(OFFICE, start, 0.5) == local("2026-01-19 14:00:29.250000")
    assert working_minutes_between(OFFICE, start, local("2026-01-19 14:00:29.250000")) == 0.5


def test_minutes_run_through_midnight_around_the_clock() -> None:
    always = calendar_of(weekly=ROUND_THE_CLOCK)
    assert add_working_minutes(always, local("2026-01-19 23:50"), 20) == local("2026-01-20 00:10")
    assert add_working_minutes(always, local("2025-12-31 23:50"), 20) == local("2026-01-01 00:10")
    assert add_working_minutes(always, local("2026-01-19 23:50"), 10) == local("2026-01-20 00:00")
    assert add_working_days(always, local("2026-01-19 03:07"), 3) == local("2026-01-22 03:07")


def test_a_shift_over_midnight_is_two_intervals() -> None:
    night = calendar_of(weekly=[(("00:00", "04:00"), ("20:00", "24:00"))] * 7)
    assert add_working_minutes(night, local("2026-01-19 23:30"), 60) == local("2026-01-20 00:30")
    assert add_working_minutes(night, local("2026-01-19 03:30"), 60) == local("2026-01-19 20:30")


def test_results_are_in_utc() -> None:
    due = add_working_minutes(OFFICE, local("2026-01-19 10:00"), 60)
    assert due.tzinfo is UTC
    assert due == utc(2026, 1, 19, 8, 0)


def test_each_office_counts_in_its_own_zone() -> None:
    ural = calendar_of(time_zone="Asia/Yekaterinburg")
    start = utc(2026, 1, 19, 12, 50)  # 15:50 in Moscow, 17:50 in Нижний Тагил.
    assert add_working_minutes(OFFICE, start, 20) == utc(2026, 1, 19, 13, 10)
    assert add_working_minutes(ural, start, 20) == utc(2026, 1, 20, 4, 10)


# Working days.


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        pytest.param("2026-01-19 10:42", 3, "2026-01-22 10:42", id="same-local-time"),
        pytest.param("2026-01-22 10:42", 3, "2026-01-27 10:42", id="over-the-weekend"),
        pytest.param("2026-01-17 10:42", 3, "2026-01-22 09:00", id="a-start-on-saturday-counts-from-monday-opening"),
        pytest.param("2026-01-19 18:00", 3, "2026-01-23 09:00", id="a-start-at-closing-counts-from-next-opening"),
        pytest.param("2026-01-19 13:20", 1, "2026-01-20 14:00", id="a-start-inside-lunch-counts-from-its-end"),
        pytest.param("2026-01-19 10:42", 0, "2026-01-19 10:42", id="no-days"),
        pytest.param("2026-01-19 10:42", 250, "2027-01-04 10:42", id="nearly-a-year"),
    ],
)
def test_add_working_days(start: str, days: int, due: str) -> None:
    assert add_working_days(OFFICE, local(start), days) == local(due)


def test_inside_the_lunch_of_the_last_day_becomes_the_end_of_lunch() -> None:
    calendar = calendar_of(exceptions={date(2026, 1, 20): [("09:00", "11:00"), ("12:00", "18:00")]})
    assert add_working_days(calendar, local("2026-01-19 11:30"), 1) == local("2026-01-20 12:00")
    assert add_working_days(calendar, local("2026-01-19 11:00"), 1) == local("2026-01-20 11:00")


def test_past_the_closing_of_the_last_day_becomes_its_closing() -> None:
    calendar = calendar_of(exceptions={date(2026, 1, 20): [("10:00", "15:00")]})
    assert add_working_days(calendar, local("2026-01-19 16:30"), 1) == local("2026-01-20 15:00")
    assert add_working_days(calendar, local("2026-01-19 09:30"), 1) == local("2026-01-20 10:00")


# Exceptions and public holidays.


def test_exceptions_close_shorten_and_add_days() -> None:
    calendar = calendar_of(
        exceptions={
            date(2026, 1, 20): [],
            date(2026, 1, 21): [("12:00", "13:00")],
            date(2026, 1, 24): [("10:00", "12:00")],
        }
    )
    assert add_working_minutes(calendar, local("2026-01-19 17:30"), 60) == local("2026-01-21 12:30")
    assert working_minutes_between(calendar, local("2026-01-24 00:00"), local("2026-01-25 00:00")) == 120
    assert add_working_days(calendar, local("2026-01-19 12:30"), 1) == local("2026-01-21 12:30")


def test_a_holiday_transfer_moves_the_day_off() -> None:
    # 2024: the working Saturday 27 April was exchanged for Monday 29 April, and 2 November for 30 April.
    assert add_working_minutes(RUSSIAN, local("2024-04-27 17:30"), 60) == local("2024-05-02 09:30")
    assert working_minutes_between(RUSSIAN, local("2024-04-28 00:00"), local("2024-05-02 00:00")) == 0


def test_a_working_saturday_has_the_hours_of_the_day_it_replaces() -> None:
    weekly = list(office_week())
    weekly[0] = (("10:00", "16:00"),)
    calendar = calendar_of(public_holidays=True, weekly=weekly)
    assert add_working_minutes(calendar, local("2024-04-26 18:00"), 30) == local("2024-04-27 10:30")
    assert working_minutes_between(calendar, local("2024-04-27 00:00"), local("2024-04-28 00:00")) == 360
    without_holidays = calendar_of(weekly=weekly)
    assert working_minutes_between(without_holidays, local("2024-04-27 00:00"), local("2024-04-28 00:00")) == 0


def test_an_office_open_on_saturdays_keeps_its_own_hours_on_a_working_saturday() -> None:
    calendar = calendar_of(public_holidays=True, weekly=office_week(saturday=(("10:00", "15:00"),)))
    assert working_minutes_between(calendar, local("2024-04-27 00:00"), local("2024-04-28 00:00")) == 300


def test_the_day_before_a_public_holiday_closes_an_hour_earlier() -> None:
    assert add_working_minutes(RUSSIAN, local("2026-04-30 16:30"), 60) == local("2026-05-04 09:30")
    assert add_working_days(RUSSIAN, local("2026-04-29 17:30"), 1) == local("2026-04-30 17:00")


def test_the_table_of_shortened_days_overrides_the_law() -> None:
    calendar = calendar_of(
        public_holidays=True, shortened_days={date(2026, 4, 30): 0, date(2026, 12, 30): 120, date(2026, 6, 11): 600}
    )

    def minutes_on(day: str) -> float:
        return working_minutes_between(calendar, local(f"{day} 00:00"), local(f"{day} 23:59"))

    assert minutes_on("2026-04-30") == 8 * 60
    assert minutes_on("2026-12-30") == 6 * 60
    assert minutes_on("2026-06-11") == 0
    assert minutes_on("2026-11-03") == 7 * 60


def test_the_table_works_without_public_holidays_and_never_cuts_an_exception() -> None:
    calendar = calendar_of(
        shortened_days={date(2026, 1, 20): 300, date(2026, 1, 21): 60},
        exceptions={date(2026, 1, 21): [("10:00", "12:00")]},
    )
    assert add_working_minutes(calendar, local("2026-01-20 09:00"), 240) == local("2026-01-20 13:00")
    assert add_working_minutes(calendar, local("2026-01-20 09:00"), 241) == local("2026-01-21 10:01")
    assert working_minutes_between(calendar, local("2026-01-21 00:00"), local("2026-01-22 00:00")) == 120


@pytest.mark.parametrize(
    ("year", "days_off_on_weekdays", "working", "shortened"),
    [
        # The production calendars as the government published them.
        (2020, "", "", "04-30 05-08 06-11 11-03 12-31"),
        (2024, "04-29 04-30 05-10 12-30 12-31", "04-27 11-02 12-28", "02-22 03-07 05-08 06-11 11-02"),
        (2025, "05-02 05-08 06-13 11-03 12-31", "11-01", "03-07 04-30 06-11 11-01"),
        (2026, "01-09 03-09 05-11 12-31", "", "04-30 05-08 06-11 11-03"),
    ],
)
def test_the_production_calendar_of_russia(year: int, days_off_on_weekdays: str, working: str, shortened: str) -> None:
    def days(text: str) -> set[date]:
        return {date.fromisoformat(f"{year}-{day}") for day in text.split()}

    russian = russian_year(year)
    assert days(days_off_on_weekdays) <= russian.days_off.keys()
    assert set(russian.working_weekends) == days(working)
    worked = {day for day in russian.shortened if day.weekday() < 5 or day in russian.working_weekends}
    assert worked == days(shortened)


# Changes of the clock: Berlin, 2026-03-29 02:00 → 03:00 and 2026-10-25 03:00 → 02:00.


def test_an_hour_skipped_in_spring_is_not_counted() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin", weekly=ROUND_THE_CLOCK)
    assert working_minutes_between(berlin, utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)) == 23 * 60
    assert add_working_minutes(berlin, utc(2026, 3, 29, 0, 30), 60) == utc(2026, 3, 29, 1, 30)


def test_an_hour_repeated_in_autumn_is_counted_twice() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin", weekly=ROUND_THE_CLOCK)
    assert working_minutes_between(berlin, utc(2026, 10, 24, 22), utc(2026, 10, 25, 23)) == 25 * 60


def test_hours_inside_the_gap_begin_when_the_clock_jumps() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin", weekly=[(("02:30", "04:00"),)] * 7)
    opening = add_working_minutes(berlin, utc(2026, 3, 29, 0, 0), 0)
    assert opening == utc(2026, 3, 29, 1, 0)
    assert add_working_minutes(berlin, opening, 60) == utc(2026, 3, 29, 2, 0)


def test_hours_that_lie_wholly_in_the_gap_do_not_exist_that_day() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin", weekly=[(("02:00", "03:00"),)] * 7)
    assert add_working_days(berlin, utc(2026, 3, 28, 1, 0), 1) == utc(2026, 3, 30, 0, 0)


def test_the_n_th_day_at_a_time_that_does_not_exist_is_the_moment_of_the_jump() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin", weekly=ROUND_THE_CLOCK)
    assert add_working_days(berlin, local("2026-03-28 02:30", "Europe/Berlin"), 1) == utc(2026, 3, 29, 1, 0)


def test_the_local_time_survives_a_change_of_the_clock() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin")
    start = local("2026-03-27 10:42", "Europe/Berlin")
    assert add_working_days(berlin, start, 1) == local("2026-03-30 10:42", "Europe/Berlin")


def test_a_date_skipped_by_its_zone_is_no_working_day() -> None:
    # Samoa crossed the date line: there was no 30 December 2011.
    apia = calendar_of(time_zone="Pacific/Apia", weekly=ROUND_THE_CLOCK)
    start = local("2011-12-29 10:00", "Pacific/Apia")
    assert add_working_days(apia, start, 1) == local("2011-12-31 10:00", "Pacific/Apia")
    assert add_working_days(apia, start, 1) - start.astimezone(UTC) == timedelta(days=1)


def test_the_first_of_two_equal_wall_times_is_meant() -> None:
    assert instant_of(ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, 2, 30)) == utc(2026, 10, 25, 0, 30)  # noqa: DTZ001


def test_the_second_of_two_equal_wall_times_does_not_leak_into_another_day() -> None:
    berlin = calendar_of(time_zone="Europe/Berlin", weekly=ROUND_THE_CLOCK)
    second_half_past_two = utc(2026, 10, 25, 1, 30)
    assert add_working_days(berlin, second_half_past_two, 154) == utc(2027, 3, 28, 1, 0)  # The jump of 2027.


def test_the_year_ends_when_it_ends_in_the_office() -> None:
    new_york = calendar_of(time_zone="America/New_York", weekly=ROUND_THE_CLOCK)
    kamchatka = calendar_of(time_zone="Asia/Kamchatka", weekly=ROUND_THE_CLOCK)
    begin, end = utc(2025, 12, 31, 6), utc(2026, 1, 1, 8)
    for calendar in (new_york, kamchatka):
        for hours in range(26):
            instant = begin + timedelta(hours=hours)
            assert working_minutes_between(calendar, begin, instant) == hours * 60
            assert working_minutes_between(calendar, instant, end) == (26 - hours) * 60
            assert add_working_minutes(calendar, instant, 90) == instant + timedelta(minutes=90)


# Refusals.


def test_naive_datetimes_are_refused() -> None:
    naive = datetime(2026, 1, 19, 10)  # noqa: DTZ001
    for call in (
        lambda: add_working_minutes(OFFICE, naive, 1),
        lambda: add_working_days(OFFICE, naive, 1),
        lambda: working_minutes_between(OFFICE, naive, utc(2026, 1, 19)),
        lambda: explain(OFFICE, utc(2026, 1, 19), naive),
        lambda: deadline(OFFICE, naive, Duration(amount=1, unit=Unit.SECONDS)),
    ):
        with pytest.raises(ValueError, match="aware"):
            call()


def test_a_calendar_without_working_time_says_so() -> None:
    closed = calendar_of(weekly=[()] * 7)
    with pytest.raises(NoWorkingTime):
        add_working_minutes(closed, utc(2026, 1, 19), 1)
    with pytest.raises(NoWorkingTime):
        add_working_days(closed, utc(2026, 1, 19), 1)
    assert working_minutes_between(closed, utc(2026, 1, 19), utc(2027, 1, 19)) == 0


def test_a_calendar_that_runs_out_of_working_time_says_so() -> None:
    once = calendar_of(weekly=[()] * 7, exceptions={date(2026, 1, 20): [("10:00", "12:00")]})
    assert add_working_minutes(once, utc(2026, 1, 1), 120) == local("2026-01-20 12:00")
    with pytest.raises(NoWorkingTime):
        add_working_minutes(once, utc(2026, 1, 1), 121)
    with pytest.raises(NoWorkingTime):
        add_working_days(once, utc(2026, 1, 1), 1)
    with pytest.raises(NoWorkingTime):
        add_working_minutes(once, local("2026-01-20 12:00"), 0)


@pytest.mark.parametrize("minutes", [-1, float("nan"), float("inf"), 1e300])
def test_amounts_out_of_range_are_refused(minutes: float) -> None:
    with pytest.raises(ValueError, match="minutes"):
        add_working_minutes(OFFICE, utc(2026, 1, 19), minutes)
    with pytest.raises(ValueError, match="days"):
        add_working_days(OFFICE, utc(2026, 1, 19), -1)
    with pytest.raises(ValueError, match="years"):
        add_working_minutes(OFFICE, datetime.max.replace(tzinfo=UTC), 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Europe/Moskva"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "Europe"},
        {"time_zone": ""},
        {"weekly": [()] * 6},
        {"weekly": [(("18:00", "09:00"),)] * 7},
        {"weekly": [(("09:00", "09:00"),)] * 7},
        {"weekly": [(("09:00", "13:00"), ("12:00", "18:00"))] * 7},
        {"weekly": [(("14:00", "18:00"), ("09:00", "13:00"))] * 7},
        {"weekly": [(("09:00", "24:01"),)] * 7},
        {"weekly": [(("9:00", "18:00"),)] * 7},
        {"weekly": [(("09:60", "18:00"),)] * 7},
        {"weekly": [(("٠٩:00", "18:00"),)] * 7},
        {"weekly": [((True, "18:00"),)] * 7},
        {"exceptions": {"2026-02-30": []}},
        {"shortened_days": {"2026-02-20": -1}},
        {"version": 0},
        {"holidays": True},
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        calendar_of(**changes)


# The calendar as data.


def test_a_calendar_travels_as_json() -> None:
    calendar = calendar_of(
        weekly=office_week(saturday=(("10:00", "24:00"),)),
        exceptions={date(2026, 1, 20): [], date(2026, 1, 24): [("10:00", "12:00")]},
        public_holidays=True,
        shortened_days={date(2026, 4, 30): 0},
        version=7,
    )
    received = WorkingCalendar.model_validate_json(calendar.model_dump_json())
    assert received == calendar
    assert received.model_dump(mode="json")["weekly"][5] == [["10:00", "24:00"]]
    assert WorkingCalendar.model_validate(calendar.model_dump()) == calendar
    start = local("2026-01-19 10:00")
    assert add_working_minutes(pickle.loads(pickle.dumps(calendar)), start, 999) == add_working_minutes(
        received, start, 999
    )


def test_equal_calendars_share_a_timeline_and_a_changed_copy_does_not_keep_the_old_one() -> None:
    start = local("2026-01-19 17:50")
    assert add_working_minutes(OFFICE, start, 20) == local("2026-01-20 09:10")
    assert timeline_of(calendar_of(version=2)) is timeline_of(OFFICE)
    changed = OFFICE.model_copy(update={"exceptions": {date(2026, 1, 20): ()}, "version": 2})
    assert add_working_minutes(changed, start, 20) == local("2026-01-21 09:10")


@pytest.mark.clause("K5")
@pytest.mark.parametrize(
    ("amount", "unit", "due"),
    [
        (20, Unit.WORKING_MINUTES, "2026-01-19 09:10"),
        (3, Unit.WORKING_DAYS, "2026-01-21 17:50"),
        (48, Unit.CALENDAR_HOURS, "2026-01-18 17:50"),
        (30, Unit.SECONDS, "2026-01-16 17:50:30"),
    ],
)
def test_one_calculator_serves_every_unit(amount: int, unit: Unit, due: str) -> None:
    duration = Duration.model_validate_json(Duration(amount=amount, unit=unit).model_dump_json())
    assert deadline(OFFICE, local("2026-01-16 17:50"), duration) == local(due)


# Explanations.


def test_the_explanation_names_every_interval_and_its_reason() -> None:
    explained = explain(RUSSIAN, local("2026-04-30 12:00"), local("2026-05-04 09:10"))
    assert [(f"{item.start:%d %H:%M}", f"{item.end:%d %H:%M}", item.reason, item.counted) for item in explained] == [
        ("30 12:00", "30 13:00", Reason.WORKING, True),
        ("30 13:00", "30 14:00", Reason.LUNCH, False),
        ("30 14:00", "30 17:00", Reason.WORKING, True),
        ("30 17:00", "30 18:00", Reason.SHORTENED, False),
        ("30 18:00", "01 00:00", Reason.CLOSED, False),
        ("01 00:00", "02 00:00", Reason.HOLIDAY, False),
        ("02 00:00", "04 00:00", Reason.WEEKEND, False),
        ("04 00:00", "04 09:00", Reason.CLOSED, False),
        ("04 09:00", "04 09:10", Reason.WORKING, True),
    ]
    assert explained[5].name == "Праздник Весны и Труда"
    assert explained[0].start.tzinfo == ZoneInfo("Europe/Moscow")
    assert explain(RUSSIAN, local("2026-05-04 09:10"), local("2026-04-30 12:00")) == []


def test_a_date_closed_by_an_exception_is_explained_as_closed() -> None:
    calendar = calendar_of(exceptions={date(2026, 1, 20): []})
    (item,) = explain(calendar, local("2026-01-20 10:00"), local("2026-01-20 11:00"))
    assert (item.reason, item.counted, item.length) == (Reason.CLOSED, False, timedelta(hours=1))


def test_the_explanation_in_russian() -> None:
    assert explain_ru(OFFICE, local("2026-01-19 10:42"), local("2026-01-19 14:00")) == [
        "пн 10:42–13:00 (2 ч 18 мин), обед 13:00–14:00 не считается"
    ]
    assert explain_ru(RUSSIAN, local("2026-04-30 16:30"), local("2026-05-04 09:10")) == [
        "чт 16:30–17:00 (30 мин), сокращённый день 17:00–18:00 не считается",
        "пт праздник «Праздник Весны и Труда» не считается",
        "сб выходной не считается",
        "вс выходной не считается",
        "пн 09:00–09:10 (10 мин)",
    ]
    assert explain_ru(OFFICE, local("2026-01-19 19:00"), local("2026-01-20 09:00:30")) == [
        "пн закрыто 19:00–24:00 не считается",
        "вт 09:00–09:00 (30 с)",
    ]
    assert explain_ru(OFFICE, local("2026-01-19 17:00"), local("2026-01-26 10:00"))[-1] == "пн 26.01 09:00–10:00 (1 ч)"
    always = calendar_of(weekly=ROUND_THE_CLOCK)
    assert explain_ru(always, local("2026-01-19 22:00"), local("2026-01-20 00:00")) == ["пн 22:00–24:00 (2 ч)"]


def test_intervals_that_touch_are_one_stretch_of_work() -> None:
    calendar = calendar_of(weekly=[(("09:00", "13:00"), ("13:00", "18:00"))] * 7)
    begin, end = local("2026-01-19 12:00"), local("2026-01-19 14:00")
    assert add_working_minutes(calendar, begin, 120) == end
    assert [(item.start, item.end, item.reason) for item in explain(calendar, begin, end)] == [
        (begin, end, Reason.WORKING)
    ]
