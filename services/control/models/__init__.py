"""Tables of control: offices, staff, policy, penalty points, and what it has heard from the other services."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.control.domain.policy import PolicyCode, PolicyValue
from services.control.domain.staffing import Member
from shared.base.errors import Conflict
from shared.contracts.control import BankAccount, OfficeChanged, Requisites, StaffChanged, VatSetting
from shared.identity.roles import Role
from shared.persistence.database import Instant, Money, OfficeOwned, ServiceBase, Versioned, new_id, new_metadata
from shared.vocabulary.worktime import WorkingCalendar


class Base(ServiceBase):
    metadata = new_metadata()


class Office(Base, OfficeOwned, Versioned):
    """ORG-01.  The documents that the event carries whole are kept whole, as JSON of their contract classes."""

    __tablename__ = "offices"
    __table_args__ = (Index("ix_offices_name_office_id", "name", "office_id"),)

    office_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(500))
    time_zone: Mapped[str] = mapped_column(String(64))
    phones: Mapped[list[str]] = mapped_column(JSONB)
    email: Mapped[str] = mapped_column(String(254))
    requisites: Mapped[dict[str, Any]] = mapped_column(JSONB)
    bank_accounts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    vat: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    courier_delivery: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[Instant]
    changed_at: Mapped[Instant]

    @property
    def working_calendar(self) -> WorkingCalendar:
        return WorkingCalendar.model_validate(self.calendar)

    @property
    def vat_settings(self) -> list[VatSetting]:
        return [VatSetting.model_validate(setting) for setting in self.vat]

    def changed(self) -> OfficeChanged:
        """The event of the state just flushed: the version on it is the new one."""
        return OfficeChanged(
            office_id=self.office_id,
            version=self.version,
            occurred_at=self.changed_at,
            name=self.name,
            city=self.city,
            address=self.address,
            time_zone=self.time_zone,
            phones=self.phones,
            email=self.email,
            requisites=Requisites.model_validate(self.requisites),
            bank_accounts=[BankAccount.model_validate(account) for account in self.bank_accounts],
            vat=self.vat_settings,
            calendar=self.working_calendar,
            courier_delivery=self.courier_delivery,
            active=self.active,
        )


class OfficeCalendar(Base, OfficeOwned):
    """Every version of an office's calendar: a deadline names the version it was counted by."""

    __tablename__ = "office_calendars"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.office_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    set_by: Mapped[UUID]
    set_at: Mapped[Instant]


class Staff(Base, OfficeOwned, Versioned):
    """ORG-02.  Head office people and mystery checkers have no office, so no office sees them."""

    __tablename__ = "staff"
    __table_args__ = (
        Index("ix_staff_office_id_full_name_id", "office_id", "full_name", "id"),
        Index("ix_staff_full_name_id", "full_name", "id"),
        Index(
            "uq_staff_one_director",
            "office_id",
            unique=True,
            postgresql_where=text("active AND role = 'director'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.office_id"))  # type: ignore[assignment]
    login: Mapped[str] = mapped_column(String(200), unique=True)
    full_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(32))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(default=True)
    hired_at: Mapped[Instant]
    changed_at: Mapped[Instant]
    dismissed_at: Mapped[Instant | None]
    dismissal_reason: Mapped[str | None] = mapped_column(String(500))

    @property
    def member(self) -> Member:
        return Member(self.id, Role(self.role), self.hired_at)

    def dismiss(self, reason: str, at: datetime) -> None:
        """Raises Conflict when the employee is dismissed already."""
        self.ensure_active()
        self.active, self.dismissed_at, self.dismissal_reason, self.changed_at = False, at, reason, at

    def ensure_active(self) -> None:
        if not self.active:
            raise Conflict("Сотрудник уволен.")

    def changed(self) -> StaffChanged:
        """The event of the state just flushed."""
        return StaffChanged.model_validate(
            {
                "office_id": self.office_id,
                "version": self.version,
                "occurred_at": self.changed_at,
                "staff_id": self.id,
                "full_name": self.full_name,
                "role": self.role,
                "email": self.email,
                "phone": self.phone,
                "active": self.active,
            }
        )


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
    """HR-03: points for one mistake.  Insert-only but for the withdrawal, which stays visible."""

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
    """None: nobody was responsible when the deadline passed, the points are the office's."""
    points: Mapped[int]
    clause: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str | None] = mapped_column(String(40))
    subject_id: Mapped[UUID | None]
    obligation_id: Mapped[UUID | None]
    generation: Mapped[int | None]
    imposed_by: Mapped[UUID | None]
    """None: imposed by the clock."""
    imposed_at: Mapped[Instant]
    withdrawn_at: Mapped[Instant | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))

    def withdraw(self, by: UUID, reason: str, at: datetime) -> None:
        """Raises Conflict when withdrawn already."""
        if self.withdrawn_at is not None:
            raise Conflict("Штрафные баллы уже сняты.")
        self.withdrawn_at, self.withdrawn_by, self.withdrawal_reason = at, by, reason


class Inquiry(Base, OfficeOwned):
    """INQ-01 as heard from orders.  A status that arrives before the record leaves gaps for a while."""

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
    """As people read it; the code where orders told no label."""
    version: Mapped[int]


class Call(Base, OfficeOwned):
    """A call that staff made to a client, as heard from clients (CL-11).  No personal data."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_office_id_called_at", "office_id", "called_at"),)

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID]
    outcome: Mapped[str] = mapped_column(String(20))
    rating: Mapped[int | None]
    called_at: Mapped[Instant] = mapped_column(index=True)


class ObligationProjection(Base, OfficeOwned):
    """One generation of a duty, as heard from notifier."""

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
