"""Tables of SMS: use, receipts, parts, stopped numbers."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base as Base
from shared.persistence.database import Instant, OfficeOwned


class SmsUsage(OfficeOwned, Base):
    """What an office has sent on one of its own days."""

    __tablename__ = "sms_usage"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """By the office's clock."""
    parts: Mapped[int]
    """What operators charge for: one long text is several."""
    alarmed_at: Mapped[datetime | None]


class SmsReceipt(Base):
    """What a gateway reported about a message.  Kept, for it may come before the answer to the sending."""

    __tablename__ = "sms_receipts"
    __table_args__ = (Index("ix_sms_receipts_heard_at", "heard_at"),)

    gateway: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[Instant] = mapped_column(server_default=func.now())


class SmsPart(Base):
    """A part of a long SMS about which the gateway reports under an id of its own."""

    __tablename__ = "sms_parts"
    __table_args__ = (Index("ix_sms_parts_notice_id", "notice_id"), Index("ix_sms_parts_sent_at", "sent_at"))

    gateway: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID]
    sent_at: Mapped[Instant] = mapped_column(server_default=func.now())


class StoppedNumber(Base):
    """A number whose owner answered «СТОП»: it gets no advertising, on whichever card it is."""

    __tablename__ = "stopped_numbers"

    phone: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[Instant] = mapped_column(server_default=func.now())
