"""The edges of head office's rules: the first refused value, the field that a refusal names, the clause of a hint."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from services.control.domain.policy import POLICIES, Norms, PolicyCode, PolicyValue, check_value, norms_on
from services.control.domain.staffing import (
    DirectorExists,
    Member,
    check_own_account,
    check_place,
    check_single_director,
    staffing_hints,
)
from services.control.domain.statistics import MAX_PERIOD_DAYS, Tally, check_period, month_of
from shared.base.errors import Conflict, Invalid
from shared.identity.roles import Role

DAY = date(2026, 3, 16)
NORMS = Norms(turnover_threshold=Decimal(1_000_000), managers=2, senior_managers=1)


def member(role: Role) -> Member:
    return Member(UUID(int=1), role, datetime(2026, 1, 12, 9, tzinfo=UTC))


@pytest.mark.parametrize("code", PolicyCode)
def test_zero_and_the_highest_value_are_allowed_and_nothing_beyond(code: PolicyCode) -> None:
    highest = POLICIES[code].highest
    check_value(code, Decimal(0))
    check_value(code, highest)
    for beyond in (Decimal("-0.01"), highest + Decimal("0.01")):
        with pytest.raises(Invalid, match=f"от 0 до {highest}") as refused:
            check_value(code, beyond)
        assert refused.value.members["errors"][0]["location"] == "value"


def test_people_are_counted_in_whole_numbers_and_roubles_need_not_be() -> None:
    check_value(PolicyCode.TURNOVER_THRESHOLD, Decimal("1000000.50"))
    with pytest.raises(Invalid, match="целое число") as refused:
        check_value(PolicyCode.NORM_MANAGERS, Decimal("2.5"))
    assert refused.value.members["errors"][0]["location"] == "value"


@pytest.mark.clause("ORG-03")
def test_every_norm_follows_its_own_date() -> None:
    later = date(2026, 4, 1)
    values = [
        PolicyValue(PolicyCode.TURNOVER_THRESHOLD, later, Decimal(2_000_000)),
        PolicyValue(PolicyCode.NORM_MANAGERS, later, Decimal(4)),
        PolicyValue(PolicyCode.NORM_SENIOR_MANAGERS, later, Decimal(3)),
    ]
    assert norms_on(values, DAY) == NORMS
    assert norms_on(values, later) == Norms(Decimal(2_000_000), managers=4, senior_managers=3)


@pytest.mark.clause("ORG-02")
def test_a_refused_place_names_the_role_and_the_field() -> None:
    with pytest.raises(Invalid, match="«менеджер» укажите офис") as missing:
        check_place(Role.MANAGER, None)
    assert missing.value.members["errors"][0]["location"] == "office_id"
    with pytest.raises(Invalid, match="«головной офис» не относится к офису") as surplus:
        check_place(Role.HEAD_OFFICE, UUID(int=1))
    assert surplus.value.members["errors"][0]["location"] == "office_id"


def test_refusals_say_what_to_do_instead() -> None:
    with pytest.raises(DirectorExists, match="переведите или увольте прежнего"):
        check_single_director(Role.DIRECTOR, [member(Role.DIRECTOR)])
    with pytest.raises(Conflict, match="только другой сотрудник головного офиса"):
        check_own_account(UUID(int=1), UUID(int=1))


@pytest.mark.clause("ORG-03")
def test_every_hint_names_its_clause_and_what_is_missing() -> None:
    hints = staffing_hints([member(Role.MANAGER)], Decimal(1_500_000), NORMS)
    assert [(hint.code, hint.clause) for hint in hints] == [
        ("senior-missing", "ORG-03"),
        ("managers-missing", "ORG-03"),
        ("director-due", "ORG-03"),
        ("helper-due", "ORG-03"),
    ]
    senior, managers, director, helper = (hint.text for hint in hints)
    assert "нет старшего менеджера" in senior
    assert "в офисе 1, по регламенту нужно 2" in managers
    assert "назначьте управляющего" in director
    assert "менеджера или помощника" in helper


@pytest.mark.clause("RPT-07")
def test_half_a_tenth_is_rounded_up() -> None:
    assert Tally(inquiries=800, won=1).conversion_percent == Decimal("0.1")
    assert Tally(inquiries=2000, won=1).conversion_percent == Decimal("0.1")
    assert Tally(ratings=20, ratings_total=85).average_rating == Decimal("4.3")


def test_a_refused_period_names_the_last_day_and_the_limit() -> None:
    with pytest.raises(Invalid, match="раньше начала") as reversed_:
        check_period(DAY, date(2026, 3, 15))
    assert reversed_.value.members["errors"][0]["location"] == "last_day"
    with pytest.raises(Invalid, match=f"не длиннее {MAX_PERIOD_DAYS} дней") as long:
        check_period(date(2025, 3, 16), date(2026, 3, 17))
    assert long.value.members["errors"][0]["location"] == "last_day"


@pytest.mark.clause("ORG-03")
def test_turnover_is_kept_by_the_first_day_of_the_month() -> None:
    assert month_of(DAY) == date(2026, 3, 1)
    assert month_of(date(2026, 3, 1)) == date(2026, 3, 1)
