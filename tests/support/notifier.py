"""Building blocks for the tests of `notifier`, with and without servers."""

from datetime import timedelta
from typing import Any

from shared.contracts import orders
from shared.persistence.database import new_id
from shared.vocabulary.worktime import ROUND_THE_CLOCK, WorkingCalendar

PART = {"article": "GDB1550", "brand": "TRW", "description": "Колодки тормозные передние"}


def calendar(**changes: Any) -> WorkingCalendar:
    return WorkingCalendar.model_validate(
        {"time_zone": "Asia/Yekaterinburg", "weekly": ROUND_THE_CLOCK, "version": 1, **changes}
    )


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def line(**changes: Any) -> orders.PurchaseOrderLine:
    body = {"position_id": new_id(), **PART, "quantity": 2, "purchase_price": "1800.50", **changes}
    return orders.PurchaseOrderLine.model_validate(body)


EVENINGS = calendar(time_zone="Asia/Novosibirsk", weekly=((("19:00", "20:00"),),) * 7)
