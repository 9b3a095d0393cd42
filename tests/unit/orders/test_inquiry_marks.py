"""Each criterion of VIP (INQ-04) and BAD (INQ-05) suggests its mark under its name."""

from decimal import Decimal
from typing import Any

import pytest

from services.orders.domain.inquiry_marks import InquiryFacts, suggest
from services.orders.domain.policies import MarkPolicy

POLICY = MarkPolicy(vip_over=Decimal(90000), bad_under=Decimal(2000))


def facts(**known: Any) -> InquiryFacts:
    usual: dict[str, Any] = {"total": Decimal(5000), "highest_price": Decimal(5000), "categories": []}
    return InquiryFacts(**usual | known)


@pytest.mark.clause("INQ-04", "INQ-05")
@pytest.mark.parametrize(
    ("known", "mark", "criterion"),
    [
        ({"total": Decimal("90000.01")}, "vip", "сумма больше 90000 ₽"),
        ({"total": Decimal(90000)}, None, None),
        ({"regular": True}, "vip", "цикличные или регулярные закупки"),
        ({"categories": ["Тормоза", "Фильтры"]}, "vip", "товары из нескольких категорий 2-го уровня"),
        ({"categories": ["Тормоза", "Тормоза"]}, None, None),
        ({"state_institution": True}, "vip", "государственное учреждение"),
        ({"paid_online": True}, "vip", "после первого касания оформлен заказ с онлайн-оплатой"),
        ({"highest_price": Decimal("1999.99")}, "bad", "товар дешевле 2000 ₽ при разовой покупке"),
        ({"highest_price": Decimal(2000)}, None, None),
        ({"highest_price": None, "total": None}, None, None),
        ({"components": True}, "bad", "ищет комплектующие"),
        (
            {"discontinued_without_alternative": True},
            "bad",
            "товар снят с производства, цена неадекватна, альтернатива не рассматривается",
        ),
        ({"components": True, "state_institution": True}, "vip", "государственное учреждение"),
        ({"highest_price": Decimal(100), "regular": True}, "vip", "цикличные или регулярные закупки"),
    ],
)
def test_a_mark_is_suggested_with_its_criterion(known: dict[str, Any], mark: str | None, criterion: str | None) -> None:
    suggestion = suggest(POLICY, facts(**known))
    assert suggestion.mark == mark
    assert suggestion.criteria == ((criterion,) if criterion else ())


@pytest.mark.clause("INQ-04")
def test_all_criteria_that_hold_are_named() -> None:
    suggestion = suggest(POLICY, facts(total=Decimal(100_000), regular=True))
    assert suggestion.criteria == ("сумма больше 90000 ₽", "цикличные или регулярные закупки")
