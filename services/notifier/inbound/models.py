"""Tables of mailboxes and letters to offices."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base as Base
from shared.persistence.database import Instant, OfficeOwned, Versioned, new_id


class Mailbox(Versioned, OfficeOwned, Base):
    """Where an office gets its letters (CALL-12)."""

    __tablename__ = "mailboxes"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    port: Mapped[int]
    security: Mapped[str]
    """tls, starttls, none"""
    login: Mapped[str]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    """The password, encrypted with the key of the settings."""
    folder: Mapped[str]
    active: Mapped[bool]


class MailboxState(OfficeOwned, Base):
    """How far a mailbox has been read.  Apart from its settings, which people edit by version."""

    __tablename__ = "mailbox_states"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    uid_validity: Mapped[int | None]
    last_uid: Mapped[int] = mapped_column(default=0)
    next_check_at: Mapped[Instant]
    """Also the lease of the process that reads."""
    checked_at: Mapped[datetime | None]
    error: Mapped[str | None]


class InboundMail(OfficeOwned, Base):
    """A letter to an office."""

    __tablename__ = "inbound_mails"
    __table_args__ = (
        UniqueConstraint("office_id", "message_id"),
        Index("ix_inbound_mails_office", "office_id", "received_at", "id"),
        Index("ix_inbound_mails_received", "received_at", "id"),
        Index(
            "ix_inbound_mails_unanswered",
            "received_at",
            "id",
            postgresql_where=text("kind = 'message' AND answered_at IS NULL"),
        ),
        Index("ix_inbound_mails_thread", "thread_id", "received_at", "id"),
        Index("ix_inbound_mails_client", "client_id", "received_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID]
    message_id: Mapped[str]
    references: Mapped[list[str]] = mapped_column(JSONB)
    """In-Reply-To and References, the nearest first."""
    thread_id: Mapped[UUID]
    """The first letter of the conversation; a conversation that we began bears the notice's id."""
    client_id: Mapped[UUID | None]
    sender: Mapped[str]
    sender_name: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    attachments: Mapped[list[str]] = mapped_column(JSONB)
    """Names only."""
    kind: Mapped[str]
    """message, automatic, bounce"""
    received_at: Mapped[Instant]
    answered_at: Mapped[datetime | None]
