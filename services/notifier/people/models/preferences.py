"""Tables about how people are notified."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base
from shared.persistence.database import Instant, OfficeOwned, Versioned, new_id


class Absence(OfficeOwned, Base):
    """A person is away and the substitute is notified instead (NTF-03)."""

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
    """How a person wants to be notified of deadlines, within what the rule demands."""

    __tablename__ = "telling_preferences"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    warnings: Mapped[bool] = mapped_column(server_default=text("true"))
    """Letters before the deadline; breaches are always reported."""
    digest_minutes: Mapped[int] = mapped_column(server_default="5")
    sms: Mapped[str] = mapped_column(server_default="none")
    """none, breaches, all: events for which an SMS to the person's own phone accompanies the letter"""
    snoozed_until: Mapped[datetime | None]
    """Until then only urgent steps are reported."""
