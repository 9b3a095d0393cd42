"""Tables of texts of letters and SMS."""

from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.people.models.base import Base as Base
from shared.persistence.database import Instant, Versioned, new_id


class TemplateVersion(Base):
    """A published text.  Never changed; the newest of the office wins, then the newest of the network."""

    __tablename__ = "template_versions"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        Index("ix_template_versions_in_force", "name", "for_office_id", "version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    version: Mapped[int]
    for_office_id: Mapped[UUID | None]
    """None: the whole network."""
    title: Mapped[str | None]
    text: Mapped[str | None]
    """None: from here on the text that the system came with, or the network's, holds again."""
    html: Mapped[str | None]
    published_by: Mapped[UUID | None]
    published_at: Mapped[Instant] = mapped_column(server_default=func.now())


class TemplateDraft(Versioned, Base):
    """A text that head office is working on."""

    __tablename__ = "template_drafts"
    __table_args__ = (UniqueConstraint("name", "for_office_id", postgresql_nulls_not_distinct=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    for_office_id: Mapped[UUID | None]
    title: Mapped[str | None]
    text: Mapped[str]
    html: Mapped[str | None]
    edited_by: Mapped[UUID | None]
    edited_at: Mapped[Instant]
