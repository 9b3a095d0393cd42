"""Copies of other services' data, kept by consumers; `version` is the source's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.vin.models.base import Base
from shared.persistence.database import ClientOwned, OfficeOwned


class Client(ClientOwned, Base):
    """A client, from `clients.client.*`."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    active: Mapped[bool]
    version: Mapped[int]


class GarageVehicle(ClientOwned, Base):
    """A car of the garage, from `clients.vehicle.saved.v1`: a request can name it in place of a VIN (VIN-10)."""

    __tablename__ = "garage_vehicles"

    vehicle_id: Mapped[UUID] = mapped_column(primary_key=True)
    vin: Mapped[str | None]
    frame: Mapped[str | None]
    make: Mapped[str | None]
    model: Mapped[str | None]
    year: Mapped[int | None]
    engine: Mapped[str | None]
    version: Mapped[int]


Index("ix_garage_vehicles_client", GarageVehicle.client_id)


class ClientCall(OfficeOwned, Base):
    """A call to a client, from `clients.call.logged.v1`: whether the phone was answered (VIN-07)."""

    __tablename__ = "client_calls"

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    outcome: Mapped[str]
    called_at: Mapped[datetime]


Index("ix_client_calls_client", ClientCall.client_id, ClientCall.called_at)


class ObligationProjection(OfficeOwned, Base):
    """The clock of a request, from `notifier.obligation.*`: when the answer is due (VIN-05)."""

    __tablename__ = "deadlines"

    obligation_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    due_at: Mapped[datetime]
    breached: Mapped[bool]
    closed: Mapped[bool]
    version: Mapped[int]


Index(
    "ix_deadlines_running",
    ObligationProjection.request_id,
    ObligationProjection.due_at,
    postgresql_where=ObligationProjection.closed.is_(False),
)
