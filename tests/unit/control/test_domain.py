"""Rules of head office: who stands in for the director, what an office lacks, dated figures, arithmetic of reports."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from services.control.domain.policy import POLICIES, Norms, PolicyCode, PolicyValue, check_value, norms_on, value_on
from services.control.domain.staffing import (
    DirectorExists,
    Member,
    acting_director,
    check_own_account,
    check_place,
    check_single_director,
    roubles,
    staffing_hints,
)
from services.control.domain.statistics import Tally, check_period, month_before
from services.control.domain.vat import vat_label, vat_on, with_setting
from shared.base.errors import Conflict, Invalid
from shared.contracts.control import VatSetting
from shared.identity.roles import Role
from shared.persistence.database import new_id

START = datetime(2026, 1, 12, 9, tzinfo=UTC)
NORMS = Norms(turnover_threshold=Decimal(1_000_000), managers=2, senior_managers=1)


def member(role: Role, hired_after_days: int = 0) -> Member:
    return Member(new_id(), role, START + timedelta(days=hired_after_days))


def staff(*roles: Role) -> list[Member]:
    return [member(role, day) for day, role in enumerate(roles)]


def test_the_director_answers_for_the_office() -> None:
    senior, director = member(Role.SENIOR_MANAGER), member(Role.DIRECTOR, 30)
    assert acting_director([senior, director]) == director


def test_without_a_director_the_senior_hired_first_answers_for_the_office() -> None:
    later, first = member(Role.SENIOR_MANAGER, 9), member(Role.SENIOR_MANAGER, 1)
    assert acting_director([member(Role.MANAGER), later, first]) == first


def test_managers_and_assistants_never_stand_in_for_the_director() -> None:
    assert acting_director(staff(Role.MANAGER, Role.ASSISTANT)) is None
    assert acting_director([]) is None


M, S, D, A = Role.MANAGER, Role.SENIOR_MANAGER, Role.DIRECTOR, Role.ASSISTANT


@pytest.mark.clause("ORG-03")
@pytest.mark.parametrize(
    ("roles", "turnover", "codes"),
    [
        ([M, M, S], "0", []),
        ([M, M, S], "1000000.00", []),
        ([M, M, S], "1000000.01", ["director-due", "helper-due"]),
        ([M, M, S, D], "2000000", ["helper-due"]),
        ([M, M, M, S, D], "2000000", []),
        ([M, M, A, S, D], "2000000", []),
        ([M, M, A, S], "2000000", ["director-due"]),
        ([M, S], "0", ["managers-missing"]),
        ([M, M], "0", ["senior-missing"]),
        ([M, M, D], "0", []),
        ([], "0", ["senior-missing", "managers-missing"]),
    ],
)
def test_an_office_is_told_what_the_regulations_lack_there(roles: list[Role], turnover: str, codes: list[str]) -> None:
    assert [hint.code for hint in staffing_hints(staff(*roles), Decimal(turnover), NORMS)] == codes


def test_the_hint_about_a_director_names_both_sums() -> None:
    [hint, _] = staffing_hints(staff(M, M, S), Decimal("1250000.50"), NORMS)
    assert hint.clause == "ORG-03"
    assert hint.text.replace("\N{NO-BREAK SPACE}", " ") == (
        "Оборот за месяц 1 250 000,50 ₽ превысил 1 000 000 ₽: назначьте управляющего."
    )


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0 ₽"), ("999.90", "999,90 ₽"), ("1000", "1 000 ₽"), ("1234567.05", "1 234 567,05 ₽")]
)
def test_roubles_are_written_the_russian_way(amount: str, text: str) -> None:
    assert roubles(Decimal(amount)).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.clause("ORG-02")
@pytest.mark.parametrize("role", [A, M, S, D])
def test_office_staff_have_an_office(role: Role) -> None:
    check_place(role, new_id())
    with pytest.raises(Invalid, match="укажите офис"):
        check_place(role, None)


@pytest.mark.clause("ORG-02")
@pytest.mark.parametrize("role", [Role.HEAD_OFFICE, Role.MYSTERY_CHECKER])
def test_people_of_the_network_have_no_office(role: Role) -> None:
    check_place(role, None)
    with pytest.raises(Invalid, match="не относится к офису"):
        check_place(role, new_id())


def test_an_office_has_one_director() -> None:
    check_single_director(Role.DIRECTOR, staff(M, S))
    check_single_director(Role.MANAGER, staff(M, D))
    with pytest.raises(DirectorExists):
        check_single_director(Role.DIRECTOR, staff(M, D))


def test_nobody_dismisses_themselves() -> None:
    me = new_id()
    check_own_account(me, new_id())
    with pytest.raises(Conflict):
        check_own_account(me, me)


def threshold(day: date, value: int) -> PolicyValue:
    return PolicyValue(PolicyCode.TURNOVER_THRESHOLD, day, Decimal(value))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2025, 12, 31), 1_000_000),
        (date(2026, 1, 1), 1_500_000),
        (date(2026, 6, 30), 1_500_000),
        (date(2026, 7, 1), 2_000_000),
        (date(2030, 1, 1), 2_000_000),
    ],
)
def test_a_figure_holds_from_its_date_on(day: date, expected: int) -> None:
    values = [threshold(date(2026, 7, 1), 2_000_000), threshold(date(2026, 1, 1), 1_500_000)]
    assert value_on(PolicyCode.TURNOVER_THRESHOLD, values, day) == expected
    assert norms_on(values, day) == Norms(Decimal(expected), 2, 1)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (PolicyCode.NORM_MANAGERS, "2.5"),
        (PolicyCode.NORM_MANAGERS, "1001"),
        (PolicyCode.TURNOVER_THRESHOLD, "-0.01"),
        (PolicyCode.TURNOVER_THRESHOLD, "1000000000000"),
    ],
)
def test_a_senseless_figure_is_refused(code: PolicyCode, value: str) -> None:
    with pytest.raises(Invalid):
        check_value(code, Decimal(value))


VAT = [
    VatSetting(effective_from=date(2024, 1, 1), rate_percent=None),
    VatSetting(effective_from=date(2025, 1, 1), rate_percent=20),
    VatSetting(effective_from=date(2026, 1, 1), rate_percent=22),
]


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2023, 12, 31), "ставка не задана"),
        (date(2024, 1, 1), "без НДС"),
        (date(2025, 12, 31), "НДС 20 %"),
        (date(2026, 1, 1), "НДС 22 %"),
    ],
)
def test_vat_is_that_of_the_day(day: date, label: str) -> None:
    assert vat_label(vat_on(VAT, day)) == label
    assert vat_label(vat_on(list(reversed(VAT)), day)) == label


def test_a_vat_setting_for_the_same_date_replaces_the_former() -> None:
    corrected = VatSetting(effective_from=date(2025, 1, 1), rate_percent=5)
    earlier = VatSetting(effective_from=date(2020, 1, 1), rate_percent=18)
    assert with_setting(with_setting(VAT, corrected), earlier) == [earlier, VAT[0], corrected, VAT[2]]


@pytest.mark.clause("RPT-07")
@pytest.mark.parametrize(
    ("won", "total", "percent"), [(0, 0, None), (0, 3, "0.0"), (1, 3, "33.3"), (1, 8, "12.5"), (2, 3, "66.7")]
)
def test_conversion_is_the_share_of_inquiries_that_became_orders(won: int, total: int, percent: str | None) -> None:
    assert Tally(inquiries=total, won=won).conversion_percent == (Decimal(percent) if percent else None)


def test_tallies_add_up_and_ratios_are_of_the_whole() -> None:
    office = Tally()
    office.add(Tally(inquiries=3, won=1, ratings=2, ratings_total=9))
    office.add(Tally(inquiries=1, won=1, ratings=1, ratings_total=3))
    assert (office.inquiries, office.won) == (4, 2)
    assert office.conversion_percent == Decimal("50.0")
    assert office.average_rating == Decimal("4.0")


def test_a_period_is_forward_and_at_most_a_leap_year() -> None:
    check_period(date(2028, 1, 1), date(2028, 12, 31))
    check_period(date(2026, 5, 5), date(2026, 5, 5))
    for first, last in ((date(2026, 5, 6), date(2026, 5, 5)), (date(2026, 1, 1), date(2027, 1, 2))):
        with pytest.raises(Invalid):
            check_period(first, last)


def test_the_month_before_january_is_december() -> None:
    assert month_before(date(2026, 1, 1)) == date(2025, 12, 1)
    assert month_before(date(2026, 12, 1)) == date(2026, 11, 1)


def test_every_figure_has_its_first_value_in_the_defaults() -> None:
    assert {code: definition.default for code, definition in POLICIES.items()} == {
        PolicyCode.TURNOVER_THRESHOLD: Decimal(1_000_000),
        PolicyCode.NORM_MANAGERS: Decimal(2),
        PolicyCode.NORM_SENIOR_MANAGERS: Decimal(1),
    }
    assert list(POLICIES) == list(PolicyCode)
