"""The edges of sending: quiet hours to the second, the growing pauses, the limits of a rule's date."""

from datetime import UTC, datetime, time, timedelta

import pytest

from services.notifier.delivery.domain.delivery import (
    QuietHours,
    combine_parts,
    retry_delay,
    state_after_receipt,
)
from services.notifier.delivery.domain.publishing import CLOCK_TOLERANCE, MAX_LEAD_TIME, effective_since
from shared.base.errors import Invalid

AT = datetime(2026, 3, 16, 9, tzinfo=UTC)
ZONE = "Asia/Yekaterinburg"  # UTC+5


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-03-16T20:59:59", None),
        ("2026-03-16T21:00:00", "2026-03-17T09:00:00"),
        ("2026-03-17T00:30:00", "2026-03-17T09:00:00"),
        ("2026-03-17T08:59:59", "2026-03-17T09:00:00"),
        ("2026-03-17T09:00:00", None),
    ],
)
def test_hours_that_span_midnight(moment: str, end: str | None) -> None:
    found = QuietHours(time(21), time(9)).until(local(moment), ZONE)
    assert found == (None if end is None else local(end))


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-03-16T12:59:59", None),
        ("2026-03-16T13:00:00", "2026-03-16T14:00:00"),
        ("2026-03-16T13:59:59", "2026-03-16T14:00:00"),
        ("2026-03-16T14:00:00", None),
    ],
)
def test_hours_within_a_day(moment: str, end: str | None) -> None:
    found = QuietHours(time(13), time(14)).until(local(moment), ZONE)
    assert found == (None if end is None else local(end))


def test_equal_ends_are_no_quiet_hours() -> None:
    assert QuietHours(time(9), time(9)).until(local("2026-03-16T09:00:00"), ZONE) is None


def test_pauses_grow_to_an_hour() -> None:
    assert [retry_delay(number) // timedelta(minutes=1) for number in (1, 2, 3, 4, 5, 6, 7, 8, 100)] == [
        *(1, 2, 5, 10, 20, 40, 60),
        *(60, 60),
    ]


@pytest.mark.parametrize(
    ("state", "receipt", "after"),
    [
        ("sending", "queued", "sent"),
        ("unknown", "delivered", "delivered"),
        ("sent", "queued", "sent"),
        ("sent", "expired", "expired"),
        ("expired", "failed", "failed"),
        ("failed", "delivered", "delivered"),
        ("delivered", "failed", "delivered"),
        ("failed", "expired", "failed"),
        ("queued", "delivered", "queued"),
        ("sending", "unheard-of", "sending"),
    ],
)
def test_a_receipt_never_takes_a_better_known_end_back(state: str, receipt: str, after: str) -> None:
    assert state_after_receipt(state, receipt) == after


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([[], []], None),
        ([["delivered"], []], "sent"),
        ([["delivered"], ["sent", "delivered"]], "delivered"),
        ([["delivered"], ["failed"]], "failed"),
        ([["expired"], ["failed"]], "failed"),
        ([["expired"], ["delivered"]], "expired"),
    ],
)
def test_a_message_is_as_far_as_its_parts(parts: list[list[str]], whole: str | None) -> None:
    assert combine_parts(parts) == whole


def refused(effective_from: datetime) -> tuple[str, str]:
    with pytest.raises(Invalid) as error:
        effective_since(effective_from, AT)
    return error.value.detail, error.value.members["errors"][0]["location"]


def test_a_rule_takes_effect_from_now_on_for_ten_years_ahead() -> None:
    second = timedelta(seconds=1)
    assert effective_since(None, AT) == AT
    assert effective_since(AT - CLOCK_TOLERANCE, AT) == AT
    assert effective_since(AT + second, AT) == AT + second
    assert effective_since(AT + MAX_LEAD_TIME, AT) == AT + MAX_LEAD_TIME
    field = "body.effective_from"
    assert refused(AT - CLOCK_TOLERANCE - second) == ("Правило не может действовать задним числом.", field)
    assert refused(AT + MAX_LEAD_TIME + second) == ("Дата вступления в силу дальше десяти лет.", field)
