"""Texts and figures of head office."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.clients.models.base import Base
from shared.persistence.database import new_id


class Content(Base):
    """Editable texts: the contract, consents, scripts.  Insert-only versions."""

    __tablename__ = "contents"
    __table_args__ = (UniqueConstraint("code", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    number: Mapped[int]
    """Version of the text, from 1."""
    title: Mapped[str]
    body: Mapped[str]
    effective_from: Mapped[datetime]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]


class Policy(Base):
    """Head office's figures for CL-06 and CALL-04, with the date from which they hold.  Insert-only."""

    __tablename__ = "policies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    answer_within: Mapped[int]
    """Time to give a usable phone; then the account is disabled."""
    unit: Mapped[str]
    """Of `answer_within`: `calendar_hours`, or `seconds` for demonstrations."""
    cards_per_phone: Mapped[int]
    """A number on more cards than this is doubted."""
    cold_from_days: Mapped[int]
    """Days since registration with which the cold list begins."""
    cold_until_days: Mapped[int]
    """Days since registration with which the cold list ends."""
    effective_from: Mapped[datetime] = mapped_column(index=True)
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]
