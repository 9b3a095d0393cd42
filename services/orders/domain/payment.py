"""What may be ordered or issued: prepayment (ORD-12, K13) and the purchase price (ORD-13)."""

from decimal import Decimal

from services.orders.domain.policies import PrepaymentPolicy
from shared.base.errors import BusinessError


class OrderUnpaid(BusinessError):
    """A position that has to be prepaid is not paid (ORD-12)."""

    code = "order-unpaid"
    title = "Заказ не оплачен"


class PurchasePriceTooHigh(BusinessError):
    """The purchase would cost more than the sale (ORD-13)."""

    code = "purchase-price-too-high"
    title = "Закупка дороже продажи"


def ensure_paid(policy: PrepaymentPolicy, category: str, *, paid: bool, overridden: bool) -> None:
    """Demand prepayment, except from exempt price levels or by a senior's override (ORD-12).  Raises OrderUnpaid."""
    if not paid and not overridden and policy.prepaid(category):
        raise OrderUnpaid("Позиция не оплачена: отправить её можно после оплаты или по решению старшего менеджера.")


def ensure_purchase_allows(purchase_price: Decimal, sale_price: Decimal, *, overridden: bool) -> None:
    """Refuse a purchase above the sale price, which stays (ORD-13).  Raises PurchasePriceTooHigh."""
    if purchase_price > sale_price and not overridden:
        raise PurchasePriceTooHigh(
            f"Закупка {purchase_price} ₽ выше цены продажи {sale_price} ₽: нужно решение старшего менеджера."
        )
