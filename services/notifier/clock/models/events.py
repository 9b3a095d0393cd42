"""Tables of the clock about received events."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base
from shared.persistence.database import Instant, OfficeOwned, new_id


class ReceivedEvent(OfficeOwned, Base):
    """What rules could see of an event, kept for dry runs of drafts.  No personal data."""

    __tablename__ = "heard_events"
    __table_args__ = (Index("ix_heard_events_happened_at", "happened_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    type: Mapped[str]
    happened_at: Mapped[Instant]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
