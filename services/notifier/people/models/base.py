"""The base of all tables of `notifier`."""

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    metadata = new_metadata()
