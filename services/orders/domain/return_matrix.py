"""The matrix of returns.  It offers; what the law grants it never refuses.

Clauses: RET-02, RET-03, RET-04, RET-05, RET-06, RET-10, K6, K16.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Literal

from services.orders.domain.policies import Band, PartKind, PercentRange, ReturnPolicy, ReturnRights
from shared.base.errors import BusinessError, Invalid

KOPECK = Decimal("0.01")

KIND_LABELS: dict[PartKind, str] = {
    "consumable": "Расходник",
    "body": "Кузовная деталь",
    "individual": "Индивидуальный заказ",
    "rare": "Редкая деталь",
    "other": "Прочее",
}


class Ground(StrEnum):
    """Why the client returns the part.  Only the first is the matrix's business (RET-10)."""

    UNWANTED = "unwanted"
    WARRANTY = "warranty"
    MISSORT = "missort"

    @property
    def label(self) -> str:
        """Return the Russian name."""
        return GROUND_LABELS[self]


GROUND_LABELS = {
    Ground.UNWANTED: "Деталь не подошла или не нужна",
    Ground.WARRANTY: "Гарантия, недостаток товара",
    Ground.MISSORT: "Пересорт",
}

OfferCode = Literal["discount", "purchase_price", "below_purchase_price", "commission"]


class NotOffered(BusinessError):
    """The matrix has no such offer for the sum and kind (RET-03, RET-04, RET-05, RET-06)."""

    code = "offer-not-in-matrix"
    title = "Такого предложения в матрице нет"


class GrantedByLaw(BusinessError):
    """The return may not be rejected (RET-10)."""

    code = "granted-by-law"
    title = "Отказать нельзя: право даёт закон"


@dataclass(frozen=True, slots=True)
class Offer:
    """What the manager may propose so that the client keeps the part."""

    code: OfferCode
    text: str
    discount: PercentRange | None
    later: PercentRange | None
    later_scope: Literal["next_order", "all_orders"] | None
    agreed_by_director: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What the matrix says about one sum, kind and ground."""

    clause: str
    band: str
    offers: tuple[Offer, ...]
    otherwise: str
    decides: Literal["manager", "director"]
    application: Literal["simple", "detailed"]


def consult(policy: ReturnPolicy, amount: Decimal, kind: PartKind, ground: Ground = Ground.UNWANTED) -> Row:
    """Return the row for a sum, kind and ground (RET-02, RET-03, RET-04, RET-05, RET-06).

    Warranty and mis-sorts stand outside (RET-10): no offer, who decides stays by the sum.
    """
    band = policy.band(amount)
    offers = _offers(band) if ground is Ground.UNWANTED and kind in band.kinds else ()
    return Row(
        clause=band.clause if ground is Ground.UNWANTED else "RET-10",
        band=_band_name(band),
        offers=offers,
        otherwise=_otherwise(band, ground),
        decides=band.decides,
        application=band.application,
    )


def _band_name(band: Band) -> str:
    if band.upto is None:
        return f"свыше {_roubles(band.over)}"
    return f"до {_roubles(band.upto)}" if band.over == 0 else f"свыше {_roubles(band.over)} до {_roubles(band.upto)}"


def _offers(band: Band) -> tuple[Offer, ...]:
    later = band.later.percent if band.later else None
    scope = band.later.scope if band.later else None
    tail = ""
    if later is not None:
        tail = f" и {later} % " + ("на следующий заказ" if scope == "next_order" else "на все последующие заказы")
    agreed = " (цена согласуется с управляющим)"
    offers = []
    if band.discount is not None:
        text = f"Оставить деталь со скидкой {band.discount} %{tail}"
        offers.append(Offer("discount", text, band.discount, later, scope, agreed_by_director=False))
    if band.price == "purchase":
        offers.append(Offer("purchase_price", f"Оставить деталь по закупочной цене{tail}", None, later, scope, False))
    if band.price == "below_purchase":
        text = f"Оставить деталь ниже закупочной цены{tail}{agreed if band.price_agreed_by_director else ''}"
        offers.append(
            Offer("below_purchase_price", text, None, later, scope, agreed_by_director=band.price_agreed_by_director)
        )
    if band.commission:
        offers.append(Offer("commission", f"Выставить деталь на реализацию{tail}", None, later, scope, False))
    return tuple(offers)


def _otherwise(band: Band, ground: Ground) -> str:
    """Return what happens when the client declines; from RET-04 on the application gives the reason in detail."""
    if ground is not Ground.UNWANTED:
        return "Принять по закону о защите прав потребителей: гарантия и пересорт не входят в матрицу"
    if band.decides == "director":
        return "Заявление с подробным описанием причин передать управляющему: он решает"
    if band.application == "detailed":
        return "Принять возврат по заявлению с подробным описанием причины"
    return "Принять возврат, заявление на возврат денежных средств"


def _roubles(value: Decimal) -> str:
    return f"{value.quantize(Decimal(1)):,} ₽".replace(",", "\u00a0")


def refund_for_keeping(
    offer: Offer,
    *,
    amount: Decimal,
    purchase_amount: Decimal | None,
    discount_percent: int | None,
    agreed_price: Decimal | None,
) -> Decimal:
    """Return what goes back to the balance when the client keeps the part, in roubles.

    `amount` and `purchase_amount` are for the whole claimed quantity; `agreed_price` is what the client pays in the
    end.  Raises Invalid when the offer's own figure is missing or outside the matrix.
    """
    if offer.code == "commission":
        return Decimal(0)
    if offer.code == "discount":
        if discount_percent is None or offer.discount is None:
            raise Invalid("Укажите скидку в процентах.", field="body.discount_percent")
        ensure_within(offer.discount, discount_percent, field="body.discount_percent")
        return (amount * discount_percent / 100).quantize(KOPECK, ROUND_HALF_UP)
    if purchase_amount is None:
        raise Invalid("У позиции не указана закупочная цена.", field="body.offer_code")
    if offer.code == "purchase_price":
        return max(amount - purchase_amount, Decimal(0))
    if agreed_price is None or not Decimal(0) <= agreed_price < min(purchase_amount, amount):
        raise Invalid(f"Укажите согласованную цену ниже закупочной ({purchase_amount} ₽).", field="body.agreed_price")
    return amount - agreed_price


def ensure_within(allowed: PercentRange | None, percent: int, *, field: str) -> None:
    """Refuse a percentage outside of the matrix.  Raises Invalid."""
    if allowed is None or not allowed.at_least <= percent <= allowed.at_most:
        raise Invalid(f"Матрица допускает {allowed} %." if allowed else "Матрица скидки не даёт.", field=field)


def granted_by_law(rights: ReturnRights, *, ground: Ground, client_kind: str, days_since_issue: int) -> str | None:
    """Return in Russian why this return may not be rejected; None when the law leaves it to the parties (RET-10)."""
    if ground is Ground.MISSORT:
        return "Выдан не тот товар: покупатель вправе вернуть его."
    if client_kind not in rights.consumer_kinds:
        return None
    if ground is Ground.WARRANTY:
        return "Товар с недостатком: потребитель вправе вернуть его (ст. 18 Закона о защите прав потребителей)."
    if client_kind in rights.distance_kinds and days_since_issue <= rights.distance_days:
        return (
            f"Дистанционная покупка: вернуть можно в течение {rights.distance_days} дней"
            " (ст. 26.1 Закона о защите прав потребителей)."
        )
    if client_kind not in rights.distance_kinds and days_since_issue <= rights.exchange_days:
        return f"Обмен или возврат в течение {rights.exchange_days} дней (ст. 25 Закона о защите прав потребителей)."
    return None
