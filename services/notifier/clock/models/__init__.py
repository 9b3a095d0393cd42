"""Tables of `notifier`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.persistence.database import ClientOwned, Instant, OfficeOwned, ServiceBase, new_id, new_metadata


class Base(ServiceBase):
    metadata = new_metadata()


# ── What other services own ──────────────────────────────────────────────────────────────────────────────────────────


class Office(Base):
    """Projection of control.office.changed.v1."""

    __tablename__ = "offices"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    city: Mapped[str]
    address: Mapped[str]
    time_zone: Mapped[str]
    phones: Mapped[list[str]] = mapped_column(JSONB)
    email: Mapped[str]
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    calendar_digest: Mapped[str]
    active: Mapped[bool]


class Calendar(Base):
    """Every working calendar that a deadline was ever computed with, by its content.  Never changed."""

    __tablename__ = "calendars"

    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seen_at: Mapped[Instant] = mapped_column(server_default=func.now())


class StaffMember(Base):
    """Projection of control.staff.changed.v1; head office people have no office."""

    __tablename__ = "staff"
    __table_args__ = (Index("ix_staff_office_id", "office_id", postgresql_where=text("active")),)

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    office_id: Mapped[UUID | None]
    full_name: Mapped[str]
    role: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    active: Mapped[bool]


class Client(ClientOwned, Base):
    """Projection of clients.client.registered.v1 and clients.client.changed.v1."""

    __tablename__ = "clients"
    __table_args__ = (
        Index("ix_clients_phone", "phone"),
        Index("ix_clients_office_email", "office_id", text("lower(email)")),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    version: Mapped[int]
    full_name: Mapped[str]
    name_verified: Mapped[bool]
    organization_name: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    time_zone: Mapped[str]
    manager_id: Mapped[UUID | None]
    consents: Mapped[list[str]] = mapped_column(JSONB)
    active: Mapped[bool]


# ── The clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


class RuleVersion(Base):
    """One published version of a rule.  Never changed, so that a running duty keeps what it was opened with."""

    __tablename__ = "rules"
    __table_args__ = (UniqueConstraint("code", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    version: Mapped[int]
    office_id: Mapped[UUID | None]
    effective_from: Mapped[Instant]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_by: Mapped[UUID | None]
    published_at: Mapped[Instant] = mapped_column(server_default=func.now())


class Subject(OfficeOwned, Base):
    """What events have told about the subject of duties so far."""

    __tablename__ = "subjects"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    office_id: Mapped[UUID]
    client_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    """Who dealt with it last, by the events."""
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
    """Whether the duty comes once in the life of its subject."""
    happened_at: Mapped[Instant]
    kept_since: Mapped[Instant] = mapped_column(server_default=func.now())


class Obligation(OfficeOwned, Base):
    """A duty with its deadline.

    `schedule` holds every step; `next_at` and `next_step` are the one that fires next, so that the engine's index
    holds one entry per open duty.  A changed fact makes a new `generation`, counted from the same `opened_at`.
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
    """Grows with every published event about this duty."""
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
    """None also while the clock stands still."""
    paused_at: Mapped[datetime | None]
    spans: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    """When it waited for somebody else than the manager: see `domain.waiting.Span`."""
    agreed_due_at: Mapped[datetime | None]
    """The deadline agreed with the client, in place of the rule's own."""
    acknowledged_by: Mapped[UUID | None]
    acknowledged_until: Mapped[datetime | None]
    """Until then nobody further up is told."""
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
    """The role that was told, after resolving fallbacks."""
    told: Mapped[list[str]] = mapped_column(JSONB)
    """Ids of the people who were told."""
    planned_at: Mapped[Instant]
    fired_at: Mapped[Instant]


class ObligationHistory(OfficeOwned, Base):
    """What became of a duty, append-only."""

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


# ── Notices ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    """One try to hand a notice over, and what the other side answered.  Append-only."""

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
