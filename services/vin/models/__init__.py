"""Tables of the vin service."""

from services.vin.models import projections, reasons, requests
from services.vin.models.base import Base

__all__ = ["Base", "projections", "reasons", "requests"]
