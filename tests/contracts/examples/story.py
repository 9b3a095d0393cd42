"""People and objects of the story; ids and moments are fixed, so that the golden files never change by themselves."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from shared.contracts.clients import Vehicle
from shared.contracts.orders import PositionLine


def _id(number: int) -> UUID:
    return UUID(f"01980000-0000-7000-8000-{number:012d}")


OFFICE, MANAGER, SENIOR, CLIENT, VEHICLE, CALL = (_id(number) for number in range(1, 7))
REQUEST, REQUEST_LINE, REFUSED_LINE, OFFER = (_id(number) for number in range(11, 15))
ORDER, BRAKES, FILTER, SUPPLIER, PURCHASE_ORDER, SHIPMENT = (_id(number) for number in range(21, 27))
INVOICE, PAYMENT, RECEIPT = (_id(number) for number in range(31, 34))
CLAIM, INQUIRY, OBLIGATION, REMOVAL = (_id(number) for number in range(41, 45))
CHECK = _id(49)
LETTER, RINGING = (_id(number) for number in range(51, 53))

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""A Monday, eleven in the morning in the office."""


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


CAR = Vehicle(vehicle_id=VEHICLE, vin="XTA21124070445066", make="Lada", model="2112", year=2007, engine="1.6")
BRAKE_LINE = PositionLine(
    position_id=BRAKES,
    article="GDB1550",
    brand="TRW",
    description="Колодки тормозные передние",
    quantity=1,
    sale_price=Decimal("1500.00"),
    amount=Decimal("1500.00"),
)
FILTER_LINE = PositionLine(
    position_id=FILTER,
    article="OC 90",
    brand="Knecht",
    description="Фильтр масляный",
    quantity=2,
    sale_price=Decimal("250.50"),
    amount=Decimal("501.00"),
)
TOTAL = Decimal("2001.00")
