"""Instances for rows that were read or written with raw SQL."""

from sqlalchemy.orm import Mapped, mapped_column

from shared.persistence.database import ServiceBase, detached_instance, new_metadata


def test_a_detached_instance_needs_no_configured_mapper() -> None:
    class Base(ServiceBase):
        metadata = new_metadata()

    class Fresh(Base):
        __tablename__ = "fresh"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]
        note: Mapped[str | None]

    row = detached_instance(Fresh, {"id": 45, "text": "«ё»"})
    assert (row.id, row.text, row.note) == (45, "«ё»", None)
