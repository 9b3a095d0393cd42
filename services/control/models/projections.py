"""Projections of inquiries, calls, obligations and turnover."""

from datetime import date
from uuid import UUID

from sqlalchemy import Date, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.control.models.base import Base
from shared.persistence.database import Instant, Money, OfficeOwned


class Inquiry(Base, OfficeOwned):
    """Projection of an inquiry (INQ-01).  A status that arrives before the record leaves gaps for a while."""

    __tablename__ = "inquiries"
    __table_args__ = (Index("ix_inquiries_office_id_recorded_at", "office_id", "recorded_at"),)

    inquiry_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID]
    channel: Mapped[str | None] = mapped_column(String(20))
    items: Mapped[list[str]] = mapped_column(JSONB, default=list)
    recorded_at: Mapped[Instant | None] = mapped_column(index=True)
    mark: Mapped[str | None] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    lost_reason: Mapped[str | None] = mapped_column(Text)
    """The label, or the code where the event had none."""
    version: Mapped[int]


class Call(Base, OfficeOwned):
    """Projection of a call that staff made to a client (CL-11).  No personal data."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_office_id_called_at", "office_id", "called_at"),)

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID]
    outcome: Mapped[str] = mapped_column(String(20))
    rating: Mapped[int | None]
    called_at: Mapped[Instant] = mapped_column(index=True)


class ObligationProjection(Base, OfficeOwned):
    """Projection of one generation of an obligation."""

    __tablename__ = "obligations"
    __table_args__ = (
        Index(
            "ix_obligations_open",
            "office_id",
            "due_at",
            postgresql_where=text("state <> 'closed'"),
        ),
        Index(
            "ix_obligations_breached_at",
            "breached_at",
            postgresql_where=text("breached_at IS NOT NULL"),
        ),
    )

    obligation_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    rule_code: Mapped[str] = mapped_column(Text)
    clause: Mapped[str] = mapped_column(Text)
    responsible_staff_id: Mapped[UUID | None]
    opened_at: Mapped[Instant]
    due_at: Mapped[Instant]
    state: Mapped[str] = mapped_column(String(10))
    """open, warned, breached or closed."""
    breached_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    version: Mapped[int]


class MonthlyTurnover(Base, OfficeOwned):
    """Payments received by an office in a month of its own calendar (ORG-03, K12)."""

    __tablename__ = "monthly_turnover"

    office_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    """The first day of the month."""
    amount: Mapped[Money]
