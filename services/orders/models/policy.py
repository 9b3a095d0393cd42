"""Policies with an effective date."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.models.base import Base, Json


class Policy(Base):
    """One version of one policy.  The newest that has begun is in force; versions are never changed."""

    __tablename__ = "policy"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    effective_from: Mapped[datetime] = mapped_column(primary_key=True)
    data: Mapped[Json]
    created_by: Mapped[UUID | None]
    """None for the defaults that came with the product."""
    created_at: Mapped[datetime]
