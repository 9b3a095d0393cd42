"""The declarative base of `billing`."""

from shared.persistence.database import (
    ServiceBase,
    new_metadata,
)


class Base(ServiceBase):
    metadata = new_metadata()
