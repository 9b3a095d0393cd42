"""Suggest VIP (INQ-04) or BAD (INQ-05) with a named criterion; the manager decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.orders.domain.policies import MarkPolicy

Mark = Literal["vip", "bad"]


@dataclass(frozen=True, slots=True)
class InquiryFacts:
    """What the conversation showed; sums in roubles."""

    total: Decimal | None
    """Expected sum of the inquiry; None when no price was named."""
    highest_price: Decimal | None
    """Price of the most expensive item."""
    categories: Sequence[str]
    """The items' categories of the 2nd level, as far as known."""
    regular: bool = False
    state_institution: bool = False
    paid_online: bool = False
    discontinued_without_alternative: bool = False
    components: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A mark, or None, with the criteria that hold, in Russian."""

    mark: Mark | None
    criteria: tuple[str, ...]


def suggest(policy: MarkPolicy, facts: InquiryFacts) -> Suggestion:
    """Suggest a mark; one criterion is enough.

    A VIP criterion wins over a BAD one: a good client may ask for something cheap.
    """
    vip = [
        text
        for holds, text in (
            (facts.total is not None and facts.total > policy.vip_over, f"сумма больше {policy.vip_over:f} ₽"),
            (facts.regular, "цикличные или регулярные закупки"),
            (len(set(facts.categories)) > 1, "товары из нескольких категорий 2-го уровня"),
            (facts.state_institution, "государственное учреждение"),
            (facts.paid_online, "после первого касания оформлен заказ с онлайн-оплатой"),
        )
        if holds
    ]
    if vip:
        return Suggestion("vip", tuple(vip))
    cheap = facts.dearest is not None and facts.dearest < policy.bad_under  # Regular purchases are VIP above.
    bad = [
        text
        for holds, text in (
            (cheap, f"товар дешевле {policy.bad_under:f} ₽ при разовой покупке"),
            (
                facts.discontinued_without_alternative,
                "товар снят с производства, цена неадекватна, альтернатива не рассматривается",
            ),
            (facts.components, "ищет комплектующие"),
        )
        if holds
    ]
    return Suggestion("bad" if bad else None, tuple(bad))
