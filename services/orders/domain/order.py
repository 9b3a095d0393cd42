"""An order's state follows from those of its positions (ORD-14)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from services.orders.domain.position import PositionState


class OrderState(StrEnum):  # noqa: D101 (a docstring would be published)
    MODERATION = "moderation"
    ORDERED = "ordered"
    READY = "ready"
    ISSUED = "issued"
    RETURNED = "returned"
    REFUSED = "refused"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        """Return the Russian name."""
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
    """Return the state of the least advanced position that is still alive.

    Each pair is a state and whether its refusal is final.  A refusal that is not final will be ordered elsewhere
    (ORD-13), so it counts as ordered.
    """
    states = {
        OrderState.ORDERED if state is PositionState.REFUSED and not final else OrderState(state.value)
        for state, final in positions
    }
    return next((state for state in LEAST_ADVANCED_FIRST if state in states), OrderState.REMOVED)
