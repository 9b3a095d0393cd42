"""Tables of the clock about obligations and their subjects."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base
from shared.persistence.database import Instant, OfficeOwned, new_id


class Subject(OfficeOwned, Base):
    """What events have said about the subject of obligations so far."""

    __tablename__ = "subjects"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    client_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    """The person who dealt with it last, by the events."""
    label: Mapped[str | None]
    """Its number as people know it."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """See `domain.facts.merge`."""
    moments: Mapped[dict[str, str]] = mapped_column(JSONB)
    """Event type → when it last happened."""


class Tombstone(Base):
    """A closing event that found nothing to close: the opening one may be still on its way."""

    __tablename__ = "tombstones"
    __table_args__ = (Index("ix_tombstones_kept_since", "kept_since"),)

    obligation_kind: Mapped[str] = mapped_column("duty", primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    once: Mapped[bool]
    """Whether the obligation comes once in the life of its subject."""
    happened_at: Mapped[Instant]
    kept_since: Mapped[Instant] = mapped_column(server_default=func.now())


class Obligation(OfficeOwned, Base):
    """An obligation with its deadline.

    `schedule` holds every step; `next_at` and `next_step` are the one that fires next, so that the engine's index holds
    one entry per open obligation.  A changed fact makes a new `generation`, counted from the same `opened_at`.
    """

    __tablename__ = "obligations"
    __table_args__ = (
        Index("ix_obligations_next_at", "next_at", "id", postgresql_where=text("next_at IS NOT NULL")),
        Index(
            "uq_obligations_open_duty",
            "subject_id",
            "duty",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_obligations_subject_id_duty", "subject_id", "duty"),
        Index("ix_obligations_office_open", "office_id", "due_at", "id", postgresql_where=text("state = 'open'")),
        Index("ix_obligations_open_due_at", "due_at", "id", postgresql_where=text("state = 'open'")),
        Index("ix_obligations_office_due_at", "office_id", "due_at", "id"),
        Index("ix_obligations_due_at", "due_at", "id"),
        Index(
            "ix_obligations_responsible_open",
            "responsible_staff_id",
            "due_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_obligations_paused_at", "paused_at", postgresql_where=text("paused_at IS NOT NULL")),
        Index("ix_obligations_client_id", "client_id", "due_at", "id"),
        Index("ix_obligations_client_open", "client_id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    version: Mapped[int]
    """Grows with every published event about this obligation."""
    generation: Mapped[int]
    obligation_kind: Mapped[str] = mapped_column("duty")
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("rules.id"))
    rule_code: Mapped[str]
    rule_version: Mapped[int]
    clause: Mapped[str]
    title: Mapped[str]
    penalty_points: Mapped[int]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    subject_label: Mapped[str | None]
    client_id: Mapped[UUID | None]
    responsible_staff_id: Mapped[UUID | None]
    calendar_digest: Mapped[str] = mapped_column(ForeignKey("calendars.digest"))
    opened_at: Mapped[Instant]
    soon_at: Mapped[Instant]
    due_at: Mapped[Instant]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    state: Mapped[str]
    """open, done, cancelled"""
    closed_at: Mapped[datetime | None]
    schedule: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    next_step: Mapped[int | None]
    """Index into `schedule`."""
    next_at: Mapped[datetime | None]
    """None also while the clock is paused."""
    paused_at: Mapped[datetime | None]
    spans: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    """When it waited for another party than the manager: see `domain.waiting.Span`."""
    agreed_due_at: Mapped[datetime | None]
    """The deadline agreed with the client, in place of the rule's own."""
    acknowledged_by: Mapped[UUID | None]
    acknowledged_until: Mapped[datetime | None]
    """Until then no higher level is notified."""
    urgent: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


class ObligationLevel(OfficeOwned, Base):
    """A step that fired.  The key is what makes it happen once."""

    __tablename__ = "obligation_levels"

    obligation_id: Mapped[UUID] = mapped_column(ForeignKey("obligations.id"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    kind: Mapped[str]
    role: Mapped[str | None]
    """The role that was notified, after resolving fallbacks."""
    told: Mapped[list[str]] = mapped_column(JSONB)
    """Ids of the people who were notified."""
    planned_at: Mapped[Instant]
    fired_at: Mapped[Instant]


class ObligationHistory(OfficeOwned, Base):
    """What became of an obligation, append-only."""

    __tablename__ = "obligation_history"
    __table_args__ = (Index("ix_obligation_history_obligation_id", "obligation_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    obligation_id: Mapped[UUID] = mapped_column(ForeignKey("obligations.id"))
    office_id: Mapped[UUID]
    generation: Mapped[int]
    event: Mapped[str]
    """opened, warned, breached, escalated, limit_reached, superseded, done, cancelled"""
    at: Mapped[Instant]
    recorded_at: Mapped[Instant] = mapped_column(server_default=func.now())
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Ids, codes and instants only."""


class ObligationRemark(OfficeOwned, Base):
    """Why a person moved, paused, acknowledged, reopened or transferred an obligation.  Append-only."""

    __tablename__ = "obligation_remarks"
    __table_args__ = (Index("ix_obligation_remarks_obligation_id", "obligation_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    obligation_id: Mapped[UUID] = mapped_column(ForeignKey("obligations.id"))
    office_id: Mapped[UUID]
    generation: Mapped[int]
    event: Mapped[str]
    """The history's word for what was done."""
    at: Mapped[Instant]
    staff_id: Mapped[UUID]
    text: Mapped[str]
