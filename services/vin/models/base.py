"""Tables of `vin`: requests with their lines and answers, reasons for refusal, and what other services told."""

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    __abstract__ = True
    metadata = new_metadata()
