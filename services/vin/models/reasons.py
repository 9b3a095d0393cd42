"""Reasons for refusal (VIN-06)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.vin.models.base import Base
from shared.persistence.database import new_id


class RefusalReason(Base):
    """A version of a reason for refusal, the same for all offices (VIN-06); a change is a row with a later date."""

    __tablename__ = "refusal_reasons"
    __table_args__ = (UniqueConstraint("code", "effective_from"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    effective_from: Mapped[datetime]
    label: Mapped[str]
    allowed: Mapped[bool]
    text: Mapped[str]
    """For an allowed reason what the client reads, else what the employee should do instead."""
    created_by: Mapped[UUID | None]
