"""The base of all tables."""

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    __abstract__ = True
    metadata = new_metadata()
