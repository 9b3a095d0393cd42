"""What may go to a supplier, or out of the door, and when (ORD-12, ORD-13)."""

from decimal import Decimal

from services.orders.domain.policies import PrepaymentPolicy
from shared.base.errors import BusinessError


class OrderUnpaid(BusinessError):
    code = "order-unpaid"
    title = "Заказ не оплачен"


class PurchasePriceTooHigh(BusinessError):
    code = "purchase-price-too-high"
    title = "Закупка дороже продажи"


def ensure_paid(policy: PrepaymentPolicy, category: str, *, paid: bool, overridden: bool) -> None:
    """ORD-12: wholesale needs no prepayment, a senior may override with a reason.  Raises OrderUnpaid."""
    if not paid and not overridden and policy.prepaid(category):
        raise OrderUnpaid("Позиция не оплачена: отправить её можно после оплаты или по решению старшего менеджера.")


def ensure_purchase_allows(purchase_price: Decimal, sale_price: Decimal, *, overridden: bool) -> None:
    """ORD-13: the sale price stays, so the purchase must fit under it.  Raises PurchasePriceTooHigh."""
    if purchase_price > sale_price and not overridden:
        raise PurchasePriceTooHigh(
            f"Закупка {purchase_price} ₽ выше цены продажи {sale_price} ₽: нужно решение старшего менеджера."
        )
