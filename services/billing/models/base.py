"""Tables of `billing`: what it knows of others, the ledger, payers, invoices, payments, documents."""

from shared.persistence.database import (
    ServiceBase,
    new_metadata,
)


class Base(ServiceBase):
    metadata = new_metadata()
