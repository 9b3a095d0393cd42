"""The matrix of the first version: RET-02, RET-03, RET-04, RET-05, RET-06, RET-10, K6 and K16."""

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.orders.defaults import first_policies
from services.orders.domain.policies import PartKind, ReturnPolicy
from services.orders.domain.return_matrix import (
    Ground,
    Offer,
    consult,
    ensure_within,
    granted_by_law,
    refund_for_keeping,
)
from shared.base.errors import Invalid

RETURNS = first_policies()["returns"]
POLICY = ReturnPolicy.model_validate(RETURNS)


@pytest.mark.clause("K6", "RET-02", "RET-03", "RET-05", "RET-06")
@pytest.mark.parametrize(
    ("amount", "clause", "decides"),
    [
        ("0.01", "RET-02", "manager"),
        ("500", "RET-02", "manager"),
        ("500.01", "RET-03", "manager"),
        ("500.50", "RET-03", "manager"),
        ("2000", "RET-03", "manager"),
        ("2000.01", "RET-04", "manager"),
        ("5000", "RET-04", "manager"),
        ("5000.01", "RET-05", "director"),
        ("15000", "RET-05", "director"),
        ("15000.01", "RET-06", "director"),
        ("99999999", "RET-06", "director"),
    ],
)
def test_bands_are_half_open(amount: str, clause: str, decides: str) -> None:
    row = consult(POLICY, Decimal(amount), "consumable")
    assert (row.clause, row.decides) == (clause, decides)


@pytest.mark.clause("K16", "RET-02", "RET-03", "RET-04", "RET-05", "RET-06")
@pytest.mark.parametrize(
    ("amount", "kind", "offers"),
    [
        (400, "consumable", []),
        (1500, "consumable", ["Оставить деталь со скидкой 20–25 % и 5 % на следующий заказ"]),
        (1500, "body", ["Оставить деталь со скидкой 20–25 % и 5 % на следующий заказ"]),
        (1500, "rare", []),
        (1500, "other", []),
        (
            3000,
            "rare",
            [
                "Оставить деталь со скидкой 25–40 % и 10–15 % на все последующие заказы",
                "Оставить деталь по закупочной цене и 10–15 % на все последующие заказы",
            ],
        ),
        (3000, "body", []),
        (
            9000,
            "individual",
            [
                "Оставить деталь со скидкой 40–50 % и 15–20 % на все последующие заказы",
                "Оставить деталь ниже закупочной цены и 15–20 % на все последующие заказы"
                " (цена согласуется с управляющим)",
            ],
        ),
        (
            20000,
            "other",
            [
                "Оставить деталь ниже закупочной цены и 20 % на все последующие заказы"
                " (цена согласуется с управляющим)",
                "Выставить деталь на реализацию и 20 % на все последующие заказы",
            ],
        ),
    ],
)
def test_the_matrix_names_its_offers(amount: int, kind: PartKind, offers: list[str]) -> None:
    assert [offer.text for offer in consult(POLICY, Decimal(amount), kind).offers] == offers


@pytest.mark.clause("K16")
def test_other_kinds_follow_the_band_without_an_offer() -> None:
    assert consult(POLICY, Decimal(1500), "other").otherwise.startswith("Принять возврат")
    assert "управляющему" in consult(POLICY, Decimal(7000), "other").otherwise


@pytest.mark.clause("RET-10")
@pytest.mark.parametrize("ground", [Ground.WARRANTY, Ground.MISSORT])
def test_warranty_and_missorts_stand_outside(ground: Ground) -> None:
    row = consult(POLICY, Decimal(1500), "consumable", ground)
    assert row.clause == "RET-10"
    assert row.offers == ()


@pytest.mark.clause("K6")
@given(st.decimals("0.01", "99999999", places=2), st.sampled_from(get_args(PartKind)))
def test_every_sum_has_exactly_one_band(amount: Decimal, kind: PartKind) -> None:
    fitting = [band for band in POLICY.bands if band.over < amount and (band.upto is None or amount <= band.upto)]
    assert len(fitting) == 1
    assert consult(POLICY, amount, kind).clause == fitting[0].clause


@pytest.mark.clause("K6")
def test_a_policy_with_a_gap_is_refused() -> None:
    broken = RETURNS | {"bands": [RETURNS["bands"][0], *RETURNS["bands"][2:]]}
    with pytest.raises(ValidationError, match="без пропусков"):
        ReturnPolicy.model_validate(broken)


def _offer(amount: int, code: str) -> Offer:
    kind: PartKind = "rare"
    return next(offer for offer in consult(POLICY, Decimal(amount), kind).offers if offer.code == code)


@pytest.mark.clause("RET-04")
def test_a_discount_is_a_share_of_the_price_within_the_matrix() -> None:
    offer = _offer(3000, "discount")
    options = {"amount": Decimal("3333.33"), "purchase_amount": None, "agreed_price": None}
    assert refund_for_keeping(offer, discount_percent=25, **options) == Decimal("833.33")  # type: ignore[arg-type]
    for percent in (24, 41, None):
        with pytest.raises(Invalid):
            refund_for_keeping(offer, discount_percent=percent, **options)  # type: ignore[arg-type]


@pytest.mark.clause("RET-04")
def test_keeping_at_the_purchase_price_returns_the_margin() -> None:
    offer = _offer(3000, "purchase_price")
    refund = refund_for_keeping(
        offer, amount=Decimal(3000), purchase_amount=Decimal(2100), discount_percent=None, agreed_price=None
    )
    assert refund == Decimal(900)


@pytest.mark.clause("RET-05")
@pytest.mark.parametrize(("agreed", "refund"), [("5000", "4000"), ("0", "9000"), ("6000", None), (None, None)])
def test_below_the_purchase_price_means_below(agreed: str | None, refund: str | None) -> None:
    offer = _offer(9000, "below_purchase_price")
    assert offer.agreed_by_director
    options = {
        "amount": Decimal(9000),
        "purchase_amount": Decimal(6000),
        "discount_percent": None,
        "agreed_price": None if agreed is None else Decimal(agreed),
    }
    if refund is None:
        with pytest.raises(Invalid):
            refund_for_keeping(offer, **options)  # type: ignore[arg-type]
    else:
        assert refund_for_keeping(offer, **options) == Decimal(refund)  # type: ignore[arg-type]


@pytest.mark.clause("RET-06")
def test_commission_returns_nothing_now() -> None:
    offer = _offer(20000, "commission")
    assert (
        refund_for_keeping(offer, amount=Decimal(20000), purchase_amount=None, discount_percent=None, agreed_price=None)
        == 0
    )


@pytest.mark.clause("K8", "RET-04")
def test_later_discounts_stay_within_the_matrix() -> None:
    later = _offer(3000, "discount").later
    ensure_within(later, 10, field="later")
    with pytest.raises(Invalid):
        ensure_within(later, 16, field="later")
    with pytest.raises(Invalid):
        ensure_within(None, 5, field="later")


@pytest.mark.clause("RET-10")
@pytest.mark.parametrize(
    ("ground", "client_kind", "days", "granted"),
    [
        (Ground.MISSORT, "wholesale", 400, True),
        (Ground.WARRANTY, "online", 400, True),
        (Ground.WARRANTY, "legal_entity", 1, False),
        (Ground.UNWANTED, "online", 7, True),
        (Ground.UNWANTED, "online", 8, False),
        (Ground.UNWANTED, "offline_retail", 14, True),
        (Ground.UNWANTED, "offline_retail", 15, False),
        (Ground.UNWANTED, "wholesale", 1, False),
    ],
)
def test_what_the_law_grants_is_known(ground: Ground, client_kind: str, days: int, granted: bool) -> None:
    law = granted_by_law(POLICY.rights, ground=ground, client_kind=client_kind, days_since_issue=days)
    assert (law is not None) is granted
