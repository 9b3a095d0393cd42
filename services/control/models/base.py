"""The declarative base of `control`."""

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    metadata = new_metadata()
