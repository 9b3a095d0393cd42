"""Inquiries (INQ-01) and their tasks (INQ-06)."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.domain.inquiry_marks import Mark
from services.orders.models.base import Base, Json, JsonList, Strings
from shared.persistence.database import OfficeOwned, Versioned

InquiryChannel = Literal["visit", "phone", "email", "messenger", "site"]
InquiryStatus = Literal["open", "won", "lost"]
CustomerType = Literal["individual", "legal_entity"]
TaskKind = Literal["supplier_request", "call_on_arrival", "payment_check", "call_back", "other"]


class Inquiry(Versioned, OfficeOwned, Base):
    __tablename__ = "inquiry"
    __table_args__ = (
        Index("ix_inquiry_office", "office_id", text("recorded_at DESC"), text("id DESC")),
        Index("ix_inquiry_office_status", "office_id", "status", text("recorded_at DESC"), text("id DESC")),
        Index("ix_inquiry_staff", "staff_id", text("recorded_at DESC"), text("id DESC")),
        Index("ix_inquiry_recorded", text("recorded_at DESC"), text("id DESC")),
        Index("ix_inquiry_channel", "channel", text("recorded_at DESC"), text("id DESC")),
        Index(
            "ix_inquiry_mark",
            "mark",
            text("recorded_at DESC"),
            text("id DESC"),
            postgresql_where=text("mark IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID]
    customer_type: Mapped[CustomerType] = mapped_column(String(24))
    channel: Mapped[InquiryChannel] = mapped_column(String(24))
    name: Mapped[str | None] = mapped_column(String(200))
    """None: anonymous (INQ-02)."""
    phone: Mapped[str | None] = mapped_column(String(50))
    city: Mapped[str] = mapped_column(String(100))
    items: Mapped[JsonList]
    total: Mapped[Decimal | None]
    features: Mapped[Json]
    """What the conversation showed: the ticks behind the marks (INQ-04, INQ-05)."""
    delivery: Mapped[bool]
    call_back_promised: Mapped[bool]
    internet_advantages_told: Mapped[bool]
    """CALL-13, in part: the tick is stored, no report counts it."""
    comment: Mapped[str | None] = mapped_column(String(4000))
    suggested_mark: Mapped[Mark | None] = mapped_column(String(8))
    criteria: Mapped[Strings]
    mark: Mapped[Mark | None] = mapped_column(String(8))
    status: Mapped[InquiryStatus] = mapped_column(String(8))
    lost_reason: Mapped[str | None] = mapped_column(String(50))
    order_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime]
    status_changed_at: Mapped[datetime]


class InquiryTask(Versioned, OfficeOwned, Base):
    """A step towards the purchase (INQ-06)."""

    __tablename__ = "inquiry_task"
    __table_args__ = (
        Index("ix_inquiry_task_inquiry", "inquiry_id", "due_at", "id"),
        Index("ix_inquiry_task_open", "office_id", "due_at", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_inquiry_task_staff_open", "staff_id", "due_at", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_inquiry_task_due", "due_at", "id"),
        Index("ix_inquiry_task_office", "office_id", "due_at", "id"),
        Index("ix_inquiry_task_staff", "staff_id", "due_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    inquiry_id: Mapped[UUID] = mapped_column(ForeignKey("inquiry.id"))
    staff_id: Mapped[UUID]
    kind: Mapped[TaskKind] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(String(1000))
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(String(1000))
