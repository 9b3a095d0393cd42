"""The table of calls."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base as Base
from shared.persistence.database import Instant, OfficeOwned, new_id


class PhoneCall(OfficeOwned, Base):
    """A call as the telephone exchange reported it."""

    __tablename__ = "phone_calls"
    __table_args__ = (
        UniqueConstraint("provider", "external_id"),
        Index("ix_phone_calls_office", "office_id", "first_heard_at", "id"),
        Index("ix_phone_calls_heard", "first_heard_at", "id"),
        Index("ix_phone_calls_client", "client_id", "first_heard_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    provider: Mapped[str]
    external_id: Mapped[str]
    direction: Mapped[str]
    """in, out"""
    phone: Mapped[str]
    line: Mapped[str]
    client_id: Mapped[UUID | None]
    began_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    in_time: Mapped[bool | None]
    """CALL-09 by the policy of that moment; None for outgoing calls and for those given up early."""
    first_heard_at: Mapped[Instant]
