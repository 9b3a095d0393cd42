"""The edges of the order's rules: what an offer carries, which field a refusal names, how a comment is compared."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.orders.domain.comments import addresses_the_client
from services.orders.domain.numbers import office_prefix
from services.orders.domain.payment import OrderUnpaid, PurchasePriceTooHigh, ensure_paid, ensure_purchase_allows
from services.orders.domain.policies import (
    Band,
    InquiryPolicy,
    LaterDiscount,
    LostReason,
    MarkPolicy,
    PercentRange,
    PrepaymentPolicy,
    RemovalPolicy,
    RemovalReason,
    ReturnPolicy,
    ReturnRights,
)
from services.orders.domain.return_matrix import Ground, Offer, Row, consult, ensure_within, refund_for_keeping
from services.orders.domain.statistics import days_late
from shared.base.errors import Invalid

RIGHTS = ReturnRights(consumer_kinds=["person"], distance_kinds=[], distance_days=7, exchange_days=14)
DISCOUNT = PercentRange(at_least=20, at_most=25)
LATER = LaterDiscount(percent=PercentRange(at_least=5, at_most=5), scope="next_order")


def consulted(amount: str = "1500", ground: Ground = Ground.UNWANTED, **changes: object) -> Row:
    """The answer of a matrix whose band over 1000 up to 12 345 has what `changes` say."""
    fields = {"clause": "RET-03", "over": 1000, "upto": 12345, "kinds": ["body"]}
    fields |= {"decides": "manager", "application": "simple"}
    lowest = Band.model_validate(fields | {"over": 0, "upto": 1000})
    middle = Band.model_validate(fields | changes)
    highest = Band.model_validate(fields | {"over": 12345, "upto": None})
    return consult(ReturnPolicy(bands=[lowest, middle, highest], rights=RIGHTS), Decimal(amount), "body", ground)


def offers(**changes: object) -> tuple[Offer, ...]:
    return consulted(**changes).offers  # type: ignore[arg-type]


@pytest.mark.clause("RET-02", "RET-03", "RET-06")
@pytest.mark.parametrize(
    ("amount", "name"),
    [
        ("1000", "до 1\u00a0000 ₽"),
        ("1000.01", "свыше 1\u00a0000 ₽ до 12\u00a0345 ₽"),
        ("12345.01", "свыше 12\u00a0345 ₽"),
    ],
)
def test_a_row_names_its_band(amount: str, name: str) -> None:
    assert consulted(amount).band == name


@pytest.mark.clause("RET-03")
def test_a_band_without_later_discounts_offers_only_what_it_has() -> None:
    assert offers(discount=DISCOUNT) == (
        Offer("discount", "Оставить деталь со скидкой 20–25 %", DISCOUNT, None, None, False),
    )


@pytest.mark.clause("RET-04", "RET-05")
@pytest.mark.parametrize(
    ("band", "code", "text", "discount", "agreed"),
    [
        ({"discount": DISCOUNT}, "discount", "Оставить деталь со скидкой 20–25 %", DISCOUNT, False),
        ({"price": "purchase"}, "purchase_price", "Оставить деталь по закупочной цене", None, False),
        ({"price": "below_purchase"}, "below_purchase_price", "Оставить деталь ниже закупочной цены", None, False),
        ({"commission": True}, "commission", "Выставить деталь на реализацию", None, False),
    ],
)
def test_every_offer_carries_the_later_discount(
    band: dict[str, object], code: str, text: str, discount: PercentRange | None, agreed: bool
) -> None:
    [offer] = offers(later=LATER, **band)
    assert offer.code == code
    assert offer.text == f"{text} и 5 % на следующий заказ"
    assert (offer.discount, offer.later, offer.later_scope) == (discount, LATER.percent, "next_order")
    assert offer.agreed_by_director is agreed


@pytest.mark.clause("RET-05")
def test_only_a_price_below_purchase_is_agreed_with_the_director() -> None:
    below, commission = offers(price="below_purchase", price_agreed_by_director=True, commission=True)
    assert below.agreed_by_director is True
    assert below.text.endswith("(цена согласуется с управляющим)")
    assert commission.agreed_by_director is False


@pytest.mark.clause("RET-03", "RET-04")
def test_a_row_says_which_application_is_written() -> None:
    simple, detailed = consulted(), consulted(application="detailed")
    assert (simple.application, detailed.application) == ("simple", "detailed")
    assert "подробным описанием" not in simple.otherwise
    assert "подробным описанием" in detailed.otherwise


def refund(offer: Offer, **given: object) -> Decimal:
    fields = {"amount": Decimal(1000), "purchase_amount": Decimal(800), "discount_percent": None, "agreed_price": None}
    return refund_for_keeping(offer, **(fields | given))  # type: ignore[arg-type]


def refused(offer: Offer, **given: object) -> tuple[str, str]:
    """The refusal's text and the field it names."""
    with pytest.raises(Invalid) as error:
        refund(offer, **given)
    [named] = error.value.members["errors"]
    return error.value.detail, named["location"]


@pytest.mark.clause("RET-03")
def test_a_discount_is_refused_by_its_own_field() -> None:
    [discount] = offers(discount=DISCOUNT)
    assert refused(discount) == ("Укажите скидку в процентах.", "body.discount_percent")
    for outside in (19, 26):
        assert refused(discount, discount_percent=outside) == ("Матрица допускает 20–25 %.", "body.discount_percent")
    assert refund(discount, discount_percent=20) == Decimal("200.00")
    assert refund(discount, discount_percent=25) == Decimal("250.00")


@pytest.mark.clause("RET-03")
def test_half_a_kopeck_of_a_discount_is_rounded_up() -> None:
    [discount] = offers(discount=DISCOUNT)
    assert refund(discount, amount=Decimal("0.10"), discount_percent=25) == Decimal("0.03")
    assert refund(discount, amount=Decimal("0.50"), discount_percent=25) == Decimal("0.13")


@pytest.mark.clause("RET-04", "RET-05")
def test_a_price_is_refused_by_its_own_field() -> None:
    [purchase] = offers(price="purchase")
    [below] = offers(price="below_purchase")
    for offer in (purchase, below):
        assert refused(offer, purchase_amount=None) == ("У позиции не указана закупочная цена.", "body.offer_code")
    for price in (None, Decimal("-0.01"), Decimal(800)):
        text, field = refused(below, agreed_price=price)
        assert "ниже закупочной (800 ₽)" in text
        assert field == "body.agreed_price"


@pytest.mark.clause("RET-04")
def test_a_part_sold_at_its_purchase_price_or_under_it_gives_nothing_back() -> None:
    [purchase] = offers(price="purchase")
    assert refund(purchase, purchase_amount=Decimal("999.50")) == Decimal("0.50")
    assert refund(purchase, purchase_amount=Decimal(1000)) == Decimal(0)
    assert refund(purchase, purchase_amount=Decimal(1200)) == Decimal(0)


@pytest.mark.clause("RET-03")
def test_a_matrix_without_a_discount_says_so() -> None:
    with pytest.raises(Invalid, match="Матрица скидки не даёт") as error:
        ensure_within(None, 5, field="body.discount_percent")
    assert error.value.members["errors"][0]["location"] == "body.discount_percent"


@pytest.mark.clause("ORD-08")
def test_an_approved_phrase_is_found_whatever_its_letters_and_signs() -> None:
    assert addresses_the_client("Не подтверждЁн, счёт", samples=["не  подтвержден — счет"])
    assert addresses_the_client("НЕ ПОСТУПИЛА ПРЕДОПЛАТА", samples=["не поступила предоплата."])
    assert not addresses_the_client("Не подтвержден", samples=["нет подтверждения"])


def test_a_prefix_of_initials_has_four_letters_at_most() -> None:
    assert office_prefix("Дом Быстрых Запасных Частей Урала") == "ДБЗЧ"


@pytest.mark.clause("ORD-12", "ORD-13")
def test_refusals_about_money_name_the_way_on() -> None:
    with pytest.raises(OrderUnpaid, match="после оплаты или по решению старшего менеджера"):
        ensure_paid(PrepaymentPolicy(exempt_categories=[]), "retail", paid=False, overridden=False)
    with pytest.raises(PurchasePriceTooHigh, match="Закупка 101 ₽ выше цены продажи 100 ₽"):
        ensure_purchase_allows(Decimal(101), Decimal(100), overridden=False)


@pytest.mark.clause("ORD-07", "ORD-08")
def test_a_reason_of_removal_is_found_by_its_code() -> None:
    first = RemovalReason(code="no_answer", label="Нет ответа", text="Вы не ответили на звонок", automatic=True)
    second = RemovalReason(code="no_stock", label="Нет в наличии", text="Выберите, пожалуйста, другую деталь")
    policy = RemovalPolicy(reasons=[first, second])
    assert policy.reason("no_answer") == first
    assert policy.reason("no_stock") == second
    assert policy.reason("unknown") is None


@pytest.mark.clause("INQ-06")
def test_a_reason_of_loss_is_found_by_its_code() -> None:
    first, second = LostReason(code="price", label="Дорого"), LostReason(code="term", label="Долго")
    marks = MarkPolicy(vip_over=Decimal(1), bad_under=Decimal(1))
    policy = InquiryPolicy(marks=marks, lost_reasons=[first, second], payment_check_days=3)
    assert policy.lost_reason("price") == first
    assert policy.lost_reason("term") == second
    assert policy.lost_reason("unknown") is None


@pytest.mark.clause("ORD-16")
def test_only_whole_days_are_late() -> None:
    promised = datetime(2026, 3, 16, 12, tzinfo=UTC)
    assert days_late(promised, promised) == 0
    assert days_late(promised, promised + timedelta(hours=23, minutes=59)) == 0
    assert days_late(promised, promised + timedelta(days=1)) == 1
