"""Projections of offices, staff and obligations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.clients.models.base import Base
from shared.contracts.clients import (
    CallGoal,
)
from shared.persistence.database import OfficeOwned


class Office(Base):
    """Projection of `control.office.changed.v1`: what a visitor of the site may know of an office."""

    __tablename__ = "offices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    city: Mapped[str]
    address: Mapped[str]
    time_zone: Mapped[str]
    phones: Mapped[list[str]] = mapped_column(ARRAY(Text))
    email: Mapped[str]
    legal_name: Mapped[str]
    courier_delivery: Mapped[bool]
    active: Mapped[bool]
    version: Mapped[int]


class StaffMember(OfficeOwned, Base):
    """Projection of `control.staff.changed.v1`: who can be a responsible manager (CL-10)."""

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    role: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str]
    active: Mapped[bool]
    version: Mapped[int]
    client_assigned_at: Mapped[datetime | None]
    """Own column: when this person last got a new client, for the round."""


Index("ix_staff_round", StaffMember.office_id, StaffMember.role, StaffMember.client_assigned_at.nulls_first())


class ObligationProjection(OfficeOwned, Base):
    """Projection of the notifier's obligations to call a client."""

    __tablename__ = "duties"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    rule_code: Mapped[str]
    clause: Mapped[str]
    goal: Mapped[CallGoal] = mapped_column(Text)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    responsible_staff_id: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warned: Mapped[bool]
    breached: Mapped[bool]
    open: Mapped[bool]
    version: Mapped[int]


Index(
    "ix_duties_list",
    ObligationProjection.office_id,
    ObligationProjection.due_at,
    ObligationProjection.id,
    postgresql_where=text("open"),
)
Index("ix_duties_network_list", ObligationProjection.due_at, ObligationProjection.id, postgresql_where=text("open"))
Index("ix_duties_of_client", ObligationProjection.client_id, postgresql_where=text("open"))
