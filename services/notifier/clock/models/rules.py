"""Tables of `notifier` about what people do with duties and rules."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.clock.models import Base as Base
from shared.persistence.database import Instant, OfficeOwned, Versioned, new_id


class ObligationRemark(OfficeOwned, Base):
    """Why a person moved, paused, acknowledged, reopened or handed over a duty, in their words.  Append-only."""

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


class RuleDraft(Versioned, Base):
    """A rule on its way to publication: draft → checked → published, or dropped."""

    __tablename__ = "rule_drafts"
    __table_args__ = (Index("ix_rule_drafts_open", "id", postgresql_where=text("state = 'draft'")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    office_id: Mapped[UUID | None]
    effective_from: Mapped[datetime | None]
    """None: from the moment of publishing on."""
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    """draft, published, dropped"""
    based_on: Mapped[int]
    """The published version that its author had seen; 0 for a new rule."""
    created_by: Mapped[UUID]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())
    published_version: Mapped[int | None]


class ReceivedEvent(OfficeOwned, Base):
    """What rules could see of an event, kept for dry runs of drafts.  No personal data."""

    __tablename__ = "heard_events"
    __table_args__ = (Index("ix_heard_events_happened_at", "happened_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    type: Mapped[str]
    happened_at: Mapped[Instant]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Absence(OfficeOwned, Base):
    """Somebody is away and somebody else is told instead (NTF-03)."""

    __tablename__ = "absences"
    __table_args__ = (Index("ix_absences_staff_id", "staff_id", "until"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    substitute_id: Mapped[UUID | None]
    """None: the next level up."""
    since: Mapped[Instant]
    until: Mapped[Instant]
    entered_by: Mapped[UUID]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


class NotificationPreference(Versioned, Base):
    """How a person wants to be told about deadlines, within what the rule demands."""

    __tablename__ = "telling_preferences"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    warnings: Mapped[bool] = mapped_column(server_default=text("true"))
    """Letters before the deadline; breaches are always told."""
    digest_minutes: Mapped[int] = mapped_column(server_default="5")
    sms: Mapped[str] = mapped_column(server_default="none")
    """none, breaches, all: about which an SMS to the person's own phone goes beside the letter"""
    snoozed_until: Mapped[datetime | None]
    """Nothing but what is urgent until then."""
