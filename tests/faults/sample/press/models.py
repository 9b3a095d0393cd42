"""Tables of `press`."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from shared.persistence.database import ServiceBase, Versioned, new_metadata


class Base(ServiceBase):
    metadata = new_metadata()


class Page(Base, Versioned):
    __tablename__ = "page"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    """Chosen by the client, one per command; two rows with one number mean that a command was done twice."""
    text: Mapped[str]


class Entered(Base):
    """The ledger's answer to a page."""

    __tablename__ = "entered"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    page_id: Mapped[UUID]
