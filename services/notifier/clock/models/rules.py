"""Tables of the clock about rules."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base
from shared.persistence.database import Instant, Versioned, new_id


class RuleDraft(Versioned, Base):
    """A rule on its way to publication: draft → checked → published, or dropped."""

    __tablename__ = "rule_drafts"
    __table_args__ = (Index("ix_rule_drafts_open", "id", postgresql_where=text("state = 'draft'")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    office_id: Mapped[UUID | None]
    effective_from: Mapped[datetime | None]
    """None: from the moment of publishing on."""
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    """draft, published, dropped"""
    based_on: Mapped[int]
    """The published version that its author had seen; 0 for a new rule."""
    created_by: Mapped[UUID]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())
    published_version: Mapped[int | None]


class RuleVersion(Base):
    """One published version of a rule.  Never changed, so that a running obligation keeps the rule it opened with."""

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
