"""The table of webhooks' events."""

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base as Base
from shared.persistence.database import Instant


class ReceivedWebhook(Base):
    """Ids of webhooks' events, so that a repeated one does nothing."""

    __tablename__ = "heard_messages"
    __table_args__ = (Index("ix_heard_messages_heard_at", "heard_at"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[Instant] = mapped_column(server_default=func.now())
