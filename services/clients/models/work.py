"""Calls, vehicles and priced articles of a client."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.clients.domain.call_log import GOAL_LABELS, OUTCOME_LABELS, RATING_LABELS
from services.clients.models.base import Base
from shared.contracts.clients import (
    CallGoal,
    CallOutcome,
    VehicleSaved,
)
from shared.contracts.clients import Vehicle as VehicleFacts
from shared.persistence.database import ClientOwned, Money, OfficeOwned, Versioned, new_id


class Call(OfficeOwned, Base):
    """An entry of the log (CL-11).  Insert-only; the client does not see it."""

    __tablename__ = "calls"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    caller: Mapped[str]
    """The caller's full name at the time of the call."""
    outcome: Mapped[CallOutcome] = mapped_column(Text)
    goals: Mapped[list[CallGoal]] = mapped_column(ARRAY(Text))
    order_id: Mapped[UUID | None]
    rating: Mapped[int | None]
    comment: Mapped[str]
    objection: Mapped[str | None]
    source: Mapped[str | None]
    """How the client came to know of the shop.  CL-13, in part: free text, without a list and without statistics."""
    called_at: Mapped[datetime]

    @property
    def outcome_label(self) -> str:
        return OUTCOME_LABELS[self.outcome]

    @property
    def goal_labels(self) -> list[str]:
        return [GOAL_LABELS[goal] for goal in self.goals]

    @property
    def rating_label(self) -> str | None:
        return RATING_LABELS[self.rating] if self.rating else None


Index("ix_calls_of_client", Call.client_id, Call.called_at.desc(), Call.id.desc())


class Vehicle(ClientOwned, Versioned, Base):
    """A vehicle of «Мой гараж» (CL-15).  A removed one stays for the orders and requests that name it."""

    __tablename__ = "vehicles"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vin: Mapped[str | None]
    frame: Mapped[str | None]
    make: Mapped[str | None]
    model: Mapped[str | None]
    year: Mapped[int | None]
    engine: Mapped[str | None]
    note: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def saved(self, at: datetime) -> VehicleSaved:
        """Return the event of the state just flushed; its version is the vehicle's."""
        return VehicleSaved(
            office_id=self.office_id,
            client_id=self.client_id,
            version=self.version,
            occurred_at=at,
            vehicle=self.facts(),
        )

    def facts(self) -> VehicleFacts:
        return VehicleFacts(
            vehicle_id=self.id,
            vin=self.vin,
            frame=self.frame,
            make=self.make,
            model=self.model,
            year=self.year,
            engine=self.engine,
        )


Index("ix_vehicles_of_client", Vehicle.client_id, Vehicle.created_at.desc(), Vehicle.id.desc())
Index("uq_vehicles_vin", Vehicle.client_id, Vehicle.vin, unique=True, postgresql_where=Vehicle.vin.is_not(None))
Index("uq_vehicles_frame", Vehicle.client_id, Vehicle.frame, unique=True, postgresql_where=Vehicle.frame.is_not(None))


class PriceCheck(ClientOwned, Base):
    """What a client priced on the site (CL-14)."""

    __tablename__ = "price_checks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    article: Mapped[str]
    brand: Mapped[str]
    description: Mapped[str | None]
    price: Mapped[Money | None]
    term_days: Mapped[int | None]
    checked_at: Mapped[datetime]


Index("ix_price_checks_of_client", PriceCheck.client_id, PriceCheck.checked_at.desc(), PriceCheck.id.desc())
