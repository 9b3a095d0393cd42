"""Tables of `billing`: the ledger, payers, invoices, payments, documents and projections."""

from services.billing.models import documents, money, projections
from services.billing.models.base import Base

__all__ = ["Base", "documents", "money", "projections"]
