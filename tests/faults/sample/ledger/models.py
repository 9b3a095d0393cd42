"""Tables of `ledger`."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    metadata = new_metadata()


class Line(Base):
    """One line per page; two lines mean that one event was applied twice."""

    __tablename__ = "line"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    page_id: Mapped[UUID]
    number: Mapped[int]
