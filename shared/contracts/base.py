"""What every event has in common."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EVENT_TYPES: dict[str, type["Event"]] = {}
"""Public event name -> class; filled by importing `shared.contracts`."""

Roubles = Annotated[Decimal, Field(max_digits=14, decimal_places=2)]
"""Money: a decimal string on the wire, never a float."""

Instant = AwareDatetime
"""A moment in UTC."""


class Facts(BaseModel):
    """A part of an event's body.

    Frozen; unknown fields are ignored, for adding an optional field keeps the version.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Facts):
    """A fact that other services may rely on.

    Subclasses name themselves: `class OrderPlaced(Event, type="orders.order.placed.v1", subject="order_id")`.
    """

    type: ClassVar[str]
    """Public name and routing key: `{service}.{aggregate}.{past-tense}.v{n}`."""

    subject_field: ClassVar[str]
    """The field that identifies the aggregate the fact is about."""

    office_id: UUID | None
    """The office whose data this is; None is network scope."""

    version: int
    """Version of the aggregate after the fact.  Consumers compare it, for order is never promised."""

    occurred_at: datetime = Field(description="UTC")

    def __init_subclass__(cls, *, type: str = "", subject: str = "") -> None:  # noqa: A002 (CloudEvents' own word)
        super().__init_subclass__()
        if type:
            if type in EVENT_TYPES:
                raise TypeError(f"{type} is declared twice")
            cls.type, cls.subject_field = type, subject
            EVENT_TYPES[type] = cls

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Swallow the class keywords above."""

    @property
    def subject(self) -> str:
        """Identity of the aggregate, for example `order/0190…`."""
        return f"{self.subject_field.removesuffix('_id')}/{getattr(self, self.subject_field)}"


class InRoubles(Facts):
    """Mixed into events that carry money."""

    currency: Literal["RUB"] = "RUB"
