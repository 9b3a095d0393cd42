"""An order's state is what its positions say (ORD-14)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from services.orders.domain.position import PositionState


class OrderState(StrEnum):
    MODERATION = "moderation"
    ORDERED = "ordered"
    READY = "ready"
    ISSUED = "issued"
    RETURNED = "returned"
    REFUSED = "refused"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS: Mapping[OrderState, str] = {
    OrderState.MODERATION: "На модерации",
    OrderState.ORDERED: "Заказ отправлен",
    OrderState.READY: "Готов к выдаче",
    OrderState.ISSUED: "Выдано",
    OrderState.RETURNED: "Возврат",
    OrderState.REFUSED: "Отказ поставщика",
    OrderState.REMOVED: "Снят",
}

LEAST_ADVANCED_FIRST = (
    OrderState.MODERATION,
    OrderState.ORDERED,
    OrderState.READY,
    OrderState.ISSUED,
    OrderState.RETURNED,
    OrderState.REFUSED,
    OrderState.REMOVED,
)


def derive(positions: Iterable[tuple[PositionState, bool]]) -> OrderState:
    """The least advanced position that is still alive names the order.

    Each pair is a state and whether its refusal is final.  A refusal that is not final waits to be ordered elsewhere
    (ORD-13), so the order is still on its way.
    """
    states = {
        OrderState.ORDERED if state is PositionState.REFUSED and not final else OrderState(state.value)
        for state, final in positions
    }
    return next((state for state in LEAST_ADVANCED_FIRST if state in states), OrderState.REMOVED)
