"""Requests with their lines and answers (VIN-01, VIN-09)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.vin.domain.labels import LineKind, RequestState
from services.vin.models.base import Base
from shared.contracts.clients import Vehicle
from shared.persistence.database import ClientOwned, Versioned, new_id


class VinRequest(ClientOwned, Versioned, Base):
    """A request by VIN or FRAME (VIN-01).  Its version also grows with every change of a line."""

    __tablename__ = "requests"
    __table_args__ = (UniqueConstraint("office_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str]
    """Counted in each office."""
    vehicle_id: Mapped[UUID]
    vin: Mapped[str | None]
    frame: Mapped[str | None]
    make: Mapped[str | None]
    model: Mapped[str | None]
    year: Mapped[int | None]
    engine: Mapped[str | None]
    correction: Mapped[str | None]
    """In Russian: which look-alike letters of the typed number were replaced."""
    preference: Mapped[str]
    state: Mapped[str] = mapped_column(default=RequestState.UNANSWERED.value)
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[UUID]
    """The client, or the employee who placed the request for the client."""
    changed_at: Mapped[datetime]
    correction_reason: Mapped[str | None]
    """Why the answer is being corrected; None while it is not."""

    lines: Mapped[list["RequestLine"]] = relationship(
        order_by="RequestLine.ordinal", cascade="all, delete-orphan", lazy="raise"
    )
    answers: Mapped[list["Answer"]] = relationship(order_by="Answer.number", lazy="raise")

    @property
    def vehicle(self) -> Vehicle:
        return Vehicle(
            vehicle_id=self.vehicle_id,
            vin=self.vin,
            frame=self.frame,
            make=self.make,
            model=self.model,
            year=self.year,
            engine=self.engine,
        )


_open = VinRequest.state != RequestState.ANSWERED.value


Index("ix_requests_open", VinRequest.office_id, VinRequest.submitted_at, VinRequest.id, postgresql_where=_open)


Index("ix_requests_network_open", VinRequest.submitted_at, VinRequest.id, postgresql_where=_open)


Index("ix_requests_list", VinRequest.office_id, VinRequest.submitted_at.desc(), VinRequest.id.desc())


Index("ix_requests_network_list", VinRequest.submitted_at.desc(), VinRequest.id.desc())


Index("ix_requests_of_client", VinRequest.client_id, VinRequest.submitted_at.desc(), VinRequest.id.desc())


class RequestLine(ClientOwned, Base):
    """A part that was asked for, with the draft of its answer (K17)."""

    __tablename__ = "lines"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id", ondelete="CASCADE"), index=True)
    ordinal: Mapped[int]
    text: Mapped[str]
    quantity: Mapped[int]
    added_by: Mapped[UUID | None]
    """The employee who added the line; None when the client asked for it."""
    kind: Mapped[str] = mapped_column(default=LineKind.OPEN.value)
    offers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """`shared.contracts.vin.Offer` as JSON, in the order in which the client reads them."""
    preference_note: Mapped[str | None]
    refusal_code: Mapped[str | None]
    refusal_comment: Mapped[str | None]
    question: Mapped[str | None]
    call_id: Mapped[UUID | None]
    chosen_by: Mapped[UUID | None]
    """The employee who chose the parts (VIN-09)."""
    chosen_by_name: Mapped[str | None]
    chosen_at: Mapped[datetime | None]

    def clear(self) -> None:
        """Drop the former draft: a line has exactly one kind of answer (K17)."""
        self.offers, self.preference_note = [], None
        self.refusal_code = self.refusal_comment = self.question = self.call_id = None


class Answer(ClientOwned, Base):
    """An answer as it was given; a correction is the next answer (VIN-09)."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("request_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    number: Mapped[int]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """`shared.contracts.vin.AnsweredLine` as JSON."""
    answered_by: Mapped[UUID]
    answered_by_name: Mapped[str]
    answered_at: Mapped[datetime]
    notify_client: Mapped[bool]
    correction_reason: Mapped[str | None]


class RequestCounter(Base):
    """The last number given in an office.  It is not isolated: clients count here with their own requests."""

    __tablename__ = "request_counters"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    last: Mapped[int]
