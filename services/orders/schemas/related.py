"""What a screen shows beside positions."""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from services.orders.domain.statistics import SupplyStatistics
from services.orders.models import Balance, Client, Order, Supplier


@dataclass(frozen=True, slots=True)
class UnderModeration:
    """Number and sum in roubles of all of a client's positions under moderation."""

    count: int = 0
    amount: Decimal = Decimal(0)


@dataclass
class RelatedRows:
    """Rows that a screen shows beside positions, by id."""

    orders: dict[UUID, Order] = field(default_factory=dict)
    clients: dict[UUID, Client] = field(default_factory=dict)
    balances: dict[UUID, Balance] = field(default_factory=dict)
    moderated: dict[UUID, UnderModeration] | None = None
    """None: not read."""
    suppliers: dict[UUID, Supplier] = field(default_factory=dict)
    statistics: dict[UUID, SupplyStatistics] = field(default_factory=dict)
