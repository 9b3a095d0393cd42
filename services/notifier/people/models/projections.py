"""Tables with copies of other services' offices, staff, clients and calendars."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base
from shared.persistence.database import ClientOwned, Instant


class Office(Base):
    """Projection of control.office.changed.v1."""

    __tablename__ = "offices"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    city: Mapped[str]
    address: Mapped[str]
    time_zone: Mapped[str]
    phones: Mapped[list[str]] = mapped_column(JSONB)
    email: Mapped[str]
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    calendar_digest: Mapped[str]
    active: Mapped[bool]


class Calendar(Base):
    """Every working calendar that a deadline was ever computed with, by its content.  Never changed."""

    __tablename__ = "calendars"

    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seen_at: Mapped[Instant] = mapped_column(server_default=func.now())


class StaffMember(Base):
    """Projection of control.staff.changed.v1; head office people have no office."""

    __tablename__ = "staff"
    __table_args__ = (Index("ix_staff_office_id", "office_id", postgresql_where=text("active")),)

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    office_id: Mapped[UUID | None]
    full_name: Mapped[str]
    role: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    active: Mapped[bool]


class Client(ClientOwned, Base):
    """Projection of clients.client.registered.v1 and clients.client.changed.v1."""

    __tablename__ = "clients"
    __table_args__ = (
        Index("ix_clients_phone", "phone"),
        Index("ix_clients_office_email", "office_id", text("lower(email)")),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    version: Mapped[int]
    full_name: Mapped[str]
    name_verified: Mapped[bool]
    organization_name: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    time_zone: Mapped[str]
    manager_id: Mapped[UUID | None]
    consents: Mapped[list[str]] = mapped_column(JSONB)
    active: Mapped[bool]
