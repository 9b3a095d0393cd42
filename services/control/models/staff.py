"""Staff of the network."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.control.domain.staffing import Member
from services.control.models.base import Base
from shared.base.errors import Conflict
from shared.contracts.control import StaffChanged
from shared.identity.roles import Role
from shared.persistence.database import Instant, OfficeOwned, Versioned, new_id


class Staff(Base, OfficeOwned, Versioned):
    """An employee (ORG-02).  Head office people and mystery checkers have no office, so no office sees them."""

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
        """Dismiss the employee.  Raises Conflict when that was done already."""
        self.ensure_active()
        self.active, self.dismissed_at, self.dismissal_reason, self.changed_at = False, at, reason, at

    def ensure_active(self) -> None:
        if not self.active:
            raise Conflict("Сотрудник уволен.")

    def changed(self) -> StaffChanged:
        """Return the event of the state just flushed."""
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
