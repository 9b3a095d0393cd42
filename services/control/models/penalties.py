"""Figures of the regulations and penalty points."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.control.domain.policy import PolicyCode, PolicyValue
from services.control.models.base import Base
from shared.base.errors import Conflict
from shared.persistence.database import Instant, Money, OfficeOwned, Versioned, new_id


class Policy(Base):
    """A figure of the regulations from a date on, set by head office."""

    __tablename__ = "policies"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    effective_from: Mapped[date] = mapped_column(Date, primary_key=True)
    value: Mapped[Money]
    set_by: Mapped[UUID]
    set_at: Mapped[Instant]

    @property
    def as_value(self) -> PolicyValue:
        return PolicyValue(PolicyCode(self.code), self.effective_from, self.value)


class PenaltyEntry(Base, OfficeOwned, Versioned):
    """Points for one mistake (HR-03).  Insert-only but for the withdrawal, which stays visible."""

    __tablename__ = "penalty_entries"
    __table_args__ = (
        UniqueConstraint("obligation_id", "generation"),
        CheckConstraint("points > 0", name="points_positive"),
        Index("ix_penalty_entries_office_id_imposed_at_id", "office_id", "imposed_at", "id"),
        Index("ix_penalty_entries_staff_id_imposed_at_id", "staff_id", "imposed_at", "id"),
        Index("ix_penalty_entries_imposed_at_id", "imposed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    staff_id: Mapped[UUID | None]
    """None when no employee was responsible at the deadline: the points are the office's."""
    points: Mapped[int]
    clause: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str | None] = mapped_column(String(40))
    subject_id: Mapped[UUID | None]
    obligation_id: Mapped[UUID | None]
    generation: Mapped[int | None]
    imposed_by: Mapped[UUID | None]
    """None when the clock imposed it."""
    imposed_at: Mapped[Instant]
    withdrawn_at: Mapped[Instant | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))

    def withdraw(self, by: UUID, reason: str, at: datetime) -> None:
        """Withdraw the points.  Raises Conflict when they are withdrawn already."""
        if self.withdrawn_at is not None:
            raise Conflict("Штрафные баллы уже сняты.")
        self.withdrawn_at, self.withdrawn_by, self.withdrawal_reason = at, by, reason
