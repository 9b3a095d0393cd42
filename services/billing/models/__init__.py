"""Tables of `billing`: what it knows of others, the ledger, payers, invoices, payments, documents."""

from services.billing.models import documents, money, projections
from services.billing.models.base import Base

__all__ = ["Base", "documents", "money", "projections"]
