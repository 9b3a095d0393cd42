"""The base of all tables, column types and sequences."""

from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import Enum, Sequence
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    """Base of every table of the orders service."""

    __abstract__ = True
    metadata = new_metadata()


Json = Annotated[dict[str, Any], mapped_column(JSONB)]
JsonList = Annotated[list[Any], mapped_column(JSONB)]
Strings = Annotated[list[str], mapped_column(JSONB)]
OptionalJson = Annotated[dict[str, Any] | None, mapped_column(JSONB(none_as_null=True))]


def stored(kind: type[StrEnum]) -> Enum:
    """Return a text column type for the values of a StrEnum; new values need no migration."""
    return Enum(
        kind, native_enum=False, length=24, create_constraint=False, values_callable=lambda e: [m.value for m in e]
    )


ORDER_NUMBERS = Sequence("order_numbers", metadata=Base.metadata)
PURCHASE_ORDER_NUMBERS = Sequence("purchase_order_numbers", metadata=Base.metadata)
SHIPMENT_NUMBERS = Sequence("shipment_numbers", metadata=Base.metadata)
CLAIM_NUMBERS = Sequence("claim_numbers", metadata=Base.metadata)
"""Shared by all offices, so that placing an order waits for no other; the office's prefix precedes the number."""
