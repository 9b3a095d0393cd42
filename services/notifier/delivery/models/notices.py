"""Tables of notices and cabinet messages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base
from shared.persistence.database import ClientOwned, Instant, OfficeOwned, new_id


class Notice(OfficeOwned, Base):
    """An e-mail or SMS on its way.

    `sending` is stored before the wire; a crash there becomes `unknown`, which a person resolves.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_due", "channel", "next_attempt_at", "id", postgresql_where=text("state = 'queued'")),
        Index("ix_notices_sending", "sending_since", postgresql_where=text("state = 'sending'")),
        Index(
            "ix_notices_awaiting_receipt",
            "poll_at",
            postgresql_where=text("poll_at IS NOT NULL"),
        ),
        Index("ix_notices_office_created", "office_id", "created_at", "id"),
        Index("ix_notices_created", "created_at", "id"),
        Index("ix_notices_client_created", "client_id", "created_at", "id"),
        Index("ix_notices_obligation_id", "obligation_id"),
        Index("ix_notices_merge_key", "merge_key", postgresql_where=text("state = 'queued'")),
        Index("ix_notices_staff", "staff_id", "next_attempt_at", postgresql_where=text("staff_id IS NOT NULL")),
        Index("ix_notices_provider", "gateway", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
        Index("ix_notices_unknown", "created_at", postgresql_where=text("state = 'unknown'")),
        Index("ix_notices_phone", "recipient", "created_at", postgresql_where=text("channel = 'sms'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    channel: Mapped[str]
    """email, sms"""
    purpose: Mapped[str]
    """service, advertising, staff, supplier"""
    template: Mapped[str]
    client_id: Mapped[UUID | None]
    """The client it is about, which need not be the client it goes to."""
    staff_id: Mapped[UUID | None]
    obligation_id: Mapped[UUID | None]
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    recipient: Mapped[str]
    recipient_name: Mapped[str]
    time_zone: Mapped[str]
    """The recipient's own, for quiet hours."""
    sender_name: Mapped[str]
    reply_to: Mapped[str | None]
    title: Mapped[str | None]
    """Subject of the mail; the first words of the SMS.  Empty until a letter to staff is written, at sending."""
    text: Mapped[str | None]
    html: Mapped[str | None]
    context: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What it is made of, where it may still change before it is sent."""
    merge_key: Mapped[str | None]
    state: Mapped[str]
    attempts: Mapped[int]
    next_attempt_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    sending_since: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    poll_at: Mapped[datetime | None]
    gateway: Mapped[str | None]
    """The one that took it, and that knows what became of it."""
    provider_id: Mapped[str | None]
    parts: Mapped[int | None]
    """SMS that its text was counted as in the office's daily limit."""
    template_version: Mapped[int | None]
    """None: the text that the system came with."""
    in_reply_to: Mapped[str | None]
    """Message-ID of the letter that this one answers."""
    last_answer: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


class NoticeAttachment(OfficeOwned, Base):
    __tablename__ = "notice_attachments"

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    file_name: Mapped[str] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class NoticeAttempt(OfficeOwned, Base):
    """One attempt to hand a notice over, and the other side's answer.  Append-only."""

    __tablename__ = "notice_attempts"

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    at: Mapped[Instant]
    outcome: Mapped[str]
    answer: Mapped[str]


class CabinetMessage(ClientOwned, Base):
    """A message in the client's cabinet."""

    __tablename__ = "cabinet_messages"
    __table_args__ = (
        Index("ix_cabinet_messages_client", "client_id", "created_at", "id"),
        Index("ix_cabinet_messages_unread", "client_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_cabinet_messages_office", "office_id", "created_at", "id"),
        Index("ix_cabinet_messages_merge_key", "merge_key", postgresql_where=text("merge_key IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    client_id: Mapped[UUID]
    template: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    context: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    merge_key: Mapped[str | None]
    merge_until: Mapped[datetime | None]
    """Until then further items of the same matter are added here instead of a second message."""
    read_at: Mapped[datetime | None]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())
