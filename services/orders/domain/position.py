"""The states of a position and the transitions between them (ORD-01)."""

from collections.abc import Mapping
from enum import StrEnum

from shared.base.errors import IllegalTransition


class PositionState(StrEnum):
    """A position in a basket is not stored here: it has no state yet."""

    MODERATION = "moderation"
    ORDERED = "ordered"
    READY = "ready"
    ISSUED = "issued"
    REMOVED = "removed"
    REFUSED = "refused"
    RETURNED = "returned"

    @property
    def label(self) -> str:
        """Return the Russian name."""
        return LABELS[self]


LABELS: Mapping[PositionState, str] = {
    PositionState.MODERATION: "На модерации",
    PositionState.ORDERED: "Заказ отправлен",
    PositionState.READY: "Готов к выдаче",
    PositionState.ISSUED: "Выдано",
    PositionState.REMOVED: "Снят",
    PositionState.REFUSED: "Отказ поставщика",
    PositionState.RETURNED: "Возврат",
}

TRANSITIONS: Mapping[PositionState, frozenset[PositionState]] = {
    PositionState.MODERATION: frozenset({PositionState.ORDERED, PositionState.REMOVED}),
    PositionState.ORDERED: frozenset({PositionState.READY, PositionState.REFUSED}),
    PositionState.READY: frozenset({PositionState.ISSUED}),
    PositionState.ISSUED: frozenset({PositionState.RETURNED}),
    PositionState.REFUSED: frozenset({PositionState.ORDERED, PositionState.REMOVED}),  # ORD-13, while not final
    PositionState.REMOVED: frozenset(),
    PositionState.RETURNED: frozenset(),
}


def ensure_allowed(current: PositionState, target: PositionState, *, finally_refused: bool = False) -> None:
    """Refuse a transition that the table lacks, or any after a final refusal, which refunded the money (BILL-03).

    Raises IllegalTransition.
    """
    if target not in TRANSITIONS[current]:
        raise IllegalTransition(f"Позиция «{current.label}» не может стать «{target.label}».")
    if finally_refused:
        raise IllegalTransition("Поставщик отказал окончательно, деньги возвращены на баланс клиента.")
