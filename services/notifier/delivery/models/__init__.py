"""Tables of `notifier` about letters, SMS and calls: limits, receipts, templates, mailboxes, telephony."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.clock.models import Base as Base
from shared.persistence.database import Instant, OfficeOwned, Versioned, new_id


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
    """What a gateway said about a message by itself.  Kept, for it may come before the answer to the sending."""

    __tablename__ = "sms_receipts"
    __table_args__ = (Index("ix_sms_receipts_heard_at", "heard_at"),)

    gateway: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[Instant] = mapped_column(server_default=func.now())


class SmsPart(Base):
    """A part of a long SMS, of which the gateway tells by an id of its own."""

    __tablename__ = "sms_parts"
    __table_args__ = (Index("ix_sms_parts_notice_id", "notice_id"), Index("ix_sms_parts_sent_at", "sent_at"))

    gateway: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID]
    sent_at: Mapped[Instant] = mapped_column(server_default=func.now())


class StoppedNumber(Base):
    """A number whose owner answered «СТОП»: no advertising goes there, whoever's card it stands on."""

    __tablename__ = "stopped_numbers"

    phone: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[Instant] = mapped_column(server_default=func.now())


class ReceivedWebhook(Base):
    """Ids of webhooks' events, so that a repeated one does nothing."""

    __tablename__ = "heard_messages"
    __table_args__ = (Index("ix_heard_messages_heard_at", "heard_at"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[Instant] = mapped_column(server_default=func.now())


class TemplateVersion(Base):
    """A published text.  Never changed; the newest of the office wins, then the newest of the network."""

    __tablename__ = "template_versions"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        Index("ix_template_versions_in_force", "name", "for_office_id", "version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    version: Mapped[int]
    for_office_id: Mapped[UUID | None]
    """None: the whole network."""
    title: Mapped[str | None]
    text: Mapped[str | None]
    """None: from here on the text that the system came with, or the network's, holds again."""
    html: Mapped[str | None]
    published_by: Mapped[UUID | None]
    published_at: Mapped[Instant] = mapped_column(server_default=func.now())


class TemplateDraft(Versioned, Base):
    """A text that head office is working on."""

    __tablename__ = "template_drafts"
    __table_args__ = (UniqueConstraint("name", "for_office_id", postgresql_nulls_not_distinct=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    for_office_id: Mapped[UUID | None]
    title: Mapped[str | None]
    text: Mapped[str]
    html: Mapped[str | None]
    edited_by: Mapped[UUID | None]
    edited_at: Mapped[Instant]


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
    """How far a mailbox has been read.  Apart from its settings, whose version people edit by."""

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


class PhoneCall(OfficeOwned, Base):
    """A call as the telephone exchange told of it."""

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


class DeliveryPolicy(Base):
    """Quiet hours of SMS in the recipient's own zone: policy data with an effective date."""

    __tablename__ = "delivery_policies"

    version: Mapped[int] = mapped_column(primary_key=True)
    effective_from: Mapped[Instant]
    quiet_hours: Mapped[bool]
    quiet_from: Mapped[str]
    """HH:MM"""
    quiet_until: Mapped[str]
    only_russian_numbers: Mapped[bool]
    sms_daily_limit: Mapped[int | None] = mapped_column(default=1000, server_default="1000")
    """SMS (parts) of an office in a day; None: no limit."""
    sms_office_limits: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict, server_default="{}")
    """Office id → its own daily limit."""
    sms_number_limit: Mapped[int | None] = mapped_column(default=10, server_default="10")
    """SMS to one number in 24 hours."""
    resend_unknown_mail: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether a letter whose outcome is unknown goes out once more by itself; else a person decides.  Never SMS."""
    answer_within_seconds: Mapped[int] = mapped_column(default=15, server_default="15")
    """CALL-09: how long three rings take."""
    published_by: Mapped[UUID | None]
    published_at: Mapped[Instant] = mapped_column(server_default=func.now())
