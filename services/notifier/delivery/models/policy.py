"""The table of the delivery policy."""

from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base as Base
from shared.persistence.database import Instant


class DeliveryPolicy(Base):
    """Quiet hours of SMS in the recipient's own zone and limits: policy data with an effective date."""

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

    def office_limit(self, office_id: UUID) -> int | None:
        """Return how many SMS (parts) the office may send in a day; None: no limit."""
        return self.sms_office_limits.get(str(office_id), self.sms_daily_limit)
