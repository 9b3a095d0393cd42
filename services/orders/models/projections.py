"""Copies of other services' data, kept by consumers; `version` is the source's."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.models.base import Base, Json, JsonList
from shared.persistence.database import ClientOwned, OfficeOwned


class Office(Base):
    """What numbers and deliveries (ORD-18) need of an office's card.  All offices see it."""

    __tablename__ = "office"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(String(20))
    """Begins the numbers of the office's documents."""
    courier_delivery: Mapped[bool]
    active: Mapped[bool]
    version: Mapped[int]


class Staff(OfficeOwned, Base):
    """An employee of an office, for its director (ORG-03) and for names on screens."""

    __tablename__ = "staff"
    __table_args__ = (Index(None, "office_id", "role"),)

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    role: Mapped[str] = mapped_column(String(24))
    active: Mapped[bool]
    version: Mapped[int]


class Client(ClientOwned, Base):
    __tablename__ = "client"
    __table_args__ = (Index(None, "office_id"),)

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    name_verified: Mapped[bool]
    organization_name: Mapped[str | None]
    kind: Mapped[str] = mapped_column(String(24))
    category: Mapped[str] = mapped_column(String(50))
    phone: Mapped[str | None]
    city: Mapped[str | None]
    manager_id: Mapped[UUID | None]
    active: Mapped[bool]
    version: Mapped[int]

    @property
    def display_name(self) -> str:
        return self.organization_name or self.full_name

    @property
    def wholesale(self) -> bool:
        """Return whether the client buys wholesale (ОПТ5…ОПТ10), which is exempt from the warning of CALL-08."""
        return self.kind == "wholesale" or self.category.startswith("opt")


class Vehicle(ClientOwned, Base):
    """A car of the client's garage (CL-15)."""

    __tablename__ = "vehicle"
    __table_args__ = (Index(None, "client_id"),)

    vehicle_id: Mapped[UUID] = mapped_column(primary_key=True)
    facts: Mapped[Json]
    """`shared.contracts.clients.Vehicle` as JSON."""
    version: Mapped[int]


class Balance(ClientOwned, Base):
    """A client's balance in roubles (BILL-04)."""

    __tablename__ = "balance"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    balance: Mapped[Decimal]
    held: Mapped[Decimal]
    available: Mapped[Decimal]
    version: Mapped[int]


class VinAnswer(ClientOwned, Base):
    """The last answer to a VIN request (VIN-10): `lines` are `shared.contracts.vin.AnsweredLine` as JSON."""

    __tablename__ = "vin_answer"
    __table_args__ = (Index(None, "client_id"),)

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    vehicle: Mapped[Json]
    lines: Mapped[JsonList]
    answered_by: Mapped[UUID]
    answered_at: Mapped[datetime]
    version: Mapped[int]
