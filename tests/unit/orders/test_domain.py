"""Tables of cases for the rules."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest

from services.orders.domain.comments import addresses_the_client, speaks_about_the_client
from services.orders.domain.disclosures import Disclosure, missing_for_issue, missing_for_order
from services.orders.domain.numbers import Document, numbered, office_prefix, provisional_prefix
from services.orders.domain.order import OrderState, derive
from services.orders.domain.payment import OrderUnpaid, PurchasePriceTooHigh, ensure_paid, ensure_purchase_allows
from services.orders.domain.policies import PrepaymentPolicy
from services.orders.domain.position import TRANSITIONS, PositionState, ensure_allowed
from services.orders.domain.statistics import SupplyStatistics, days_late
from shared.base.errors import IllegalTransition

MODERATION, ORDERED, READY, ISSUED = (
    PositionState.MODERATION,
    PositionState.ORDERED,
    PositionState.READY,
    PositionState.ISSUED,
)
REMOVED, REFUSED, RETURNED = PositionState.REMOVED, PositionState.REFUSED, PositionState.RETURNED


@pytest.mark.clause("ORD-01")
@pytest.mark.parametrize(("current", "target"), list(product(PositionState, repeat=2)))
def test_a_position_moves_only_as_the_regulations_say(current: PositionState, target: PositionState) -> None:
    allowed = {
        (MODERATION, ORDERED),
        (MODERATION, REMOVED),
        (ORDERED, READY),
        (ORDERED, REFUSED),
        (READY, ISSUED),
        (REFUSED, ORDERED),
        (REFUSED, REMOVED),
        (ISSUED, RETURNED),
    }
    if (current, target) in allowed:
        ensure_allowed(current, target)
    else:
        with pytest.raises(IllegalTransition, match=target.label):
            ensure_allowed(current, target)


def test_nothing_follows_a_final_refusal() -> None:
    for target in TRANSITIONS[REFUSED]:
        with pytest.raises(IllegalTransition, match="окончательно"):
            ensure_allowed(REFUSED, target, finally_refused=True)


@pytest.mark.clause("ORD-14")
@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([(MODERATION, False), (ISSUED, False)], OrderState.MODERATION),
        ([(ORDERED, False), (READY, False)], OrderState.ORDERED),
        ([(REFUSED, False), (READY, False)], OrderState.ORDERED),
        ([(REFUSED, True), (READY, False)], OrderState.READY),
        ([(READY, False), (ISSUED, False)], OrderState.READY),
        ([(ISSUED, False), (REMOVED, False)], OrderState.ISSUED),
        ([(ISSUED, False), (RETURNED, False)], OrderState.ISSUED),
        ([(RETURNED, False), (REMOVED, False)], OrderState.RETURNED),
        ([(REFUSED, True), (REMOVED, False)], OrderState.REFUSED),
        ([(REMOVED, False)], OrderState.REMOVED),
        ([], OrderState.REMOVED),
    ],
)
def test_the_least_advanced_live_position_names_the_order(
    positions: list[tuple[PositionState, bool]], expected: OrderState
) -> None:
    assert derive(positions) is expected


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("ПроДеталь-Мира 45", "М45"),
        ("Екатеринбург, ул. Лесная, 5а", "Л5А"),
        ("ПроДеталь", "П"),
        ("Офис на Ленина", "ОНЛ"),
        ("Detal Moscow", "DM"),
        ("123", "О"),
    ],
)
def test_an_offices_name_gives_its_prefix(name: str, prefix: str) -> None:
    assert office_prefix(name) == prefix


def test_numbers_are_human() -> None:
    assert numbered("М45", Document.ORDER, 123) == "М45-000123"
    assert numbered("М45", Document.CLAIM, 7) == "М45-В000007"
    assert numbered("М45", Document.ORDER, 1_234_567) == "М45-1234567"
    assert provisional_prefix(UUID("01900000-0000-7000-8000-00000000abcd")) == "ABCD"


@pytest.mark.clause("ORD-08")
@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("Данный запрос мы обсудили с Вами по телефону", True),
        ("Вопрос решен по телефону", False),
        ("Заявка не актуальна, свяжитесь с менеджером", True),
        ("не поступила предоплата", True),
        ("Деталь не применима к вашему автомобилю.", True),
        ("Клиент не оплатил", False),
        ("Клиент просил Вас снять", False),
        ("нет на складе", False),
        ("Позвоните нам, пожалуйста", True),
        ("Обратитесь к менеджеру", True),
        ("вышло", False),
        ("", False),
    ],
)
def test_a_comment_on_removal_addresses_the_client(text: str, good: bool) -> None:
    samples = ["не поступила предоплата", "деталь не применима к вашему автомобилю"]
    assert addresses_the_client(text, samples) is good


def test_a_note_about_the_client_is_recognised() -> None:
    assert speaks_about_the_client("Покупатель не отвечает")
    assert not speaks_about_the_client("Подходит к Вашему автомобилю")


@pytest.mark.clause("K14", "ORD-16")
@pytest.mark.parametrize(
    ("supplied", "refused", "late", "label"),
    [
        (96, 4, 288, "96/3"),
        (0, 0, 0, None),
        (0, 5, 0, "0/—"),
        (1, 0, 0, "100/0"),
        (2, 1, 1, "67/1"),
        (3, 0, 1, "100/0"),
        (199, 1, 0, "100/0"),
    ],
)
def test_supply_statistics_read_as_in_the_regulations(
    supplied: int, refused: int, late: int, label: str | None
) -> None:
    assert SupplyStatistics(supplied, refused, late).label == label


@pytest.mark.clause("ORD-16")
def test_only_whole_days_past_the_promise_are_late() -> None:
    promised = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert days_late(promised, promised) == 0
    assert days_late(promised, promised - timedelta(days=2)) == 0
    assert days_late(promised, promised + timedelta(hours=23)) == 0
    assert days_late(promised, promised + timedelta(days=3, hours=1)) == 3
    assert days_late(None, promised) == 0


@pytest.mark.clause("ORD-10", "ORD-17")
def test_packaging_is_opened_before_issue() -> None:
    assert missing_for_issue([]) == [Disclosure.PACKAGING_OPENED]
    assert missing_for_issue([Disclosure.PACKAGING_OPENED, Disclosure.CONTRACT_SIGNED]) == []


@pytest.mark.clause("CALL-08", "ORD-17")
@pytest.mark.parametrize(
    ("ticked", "without_catalogue", "wholesale", "missing"),
    [
        ([], True, False, [Disclosure.NO_CATALOGUE_RISK]),
        ([Disclosure.NO_CATALOGUE_RISK], True, False, []),
        ([], True, True, []),
        ([], False, False, []),
    ],
)
def test_the_risk_without_a_catalogue_is_told(
    ticked: list[Disclosure], without_catalogue: bool, wholesale: bool, missing: list[Disclosure]
) -> None:
    found = missing_for_order(ticked, has_parts_without_catalogue=without_catalogue, wholesale=wholesale)
    assert found == missing


@pytest.mark.clause("K13", "ORD-12")
def test_prepayment_is_demanded_from_all_but_the_exempt() -> None:
    policy = PrepaymentPolicy(exempt_categories=["opt5", "opt10"])
    ensure_paid(policy, "internet", paid=True, overridden=False)
    ensure_paid(policy, "internet", paid=False, overridden=True)
    ensure_paid(policy, "opt5", paid=False, overridden=False)
    for category in ("internet", "retail", "opt4", "opt50"):
        with pytest.raises(OrderUnpaid):
            ensure_paid(policy, category, paid=False, overridden=False)


@pytest.mark.clause("ORD-13")
def test_the_purchase_fits_under_the_sale_price() -> None:
    ensure_purchase_allows(Decimal("1500"), Decimal("1500"), overridden=False)
    ensure_purchase_allows(Decimal("1600"), Decimal("1500"), overridden=True)
    with pytest.raises(PurchasePriceTooHigh):
        ensure_purchase_allows(Decimal("1500.01"), Decimal("1500"), overridden=False)
