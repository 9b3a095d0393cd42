"""Tables of `vin`: requests with their lines and answers, reasons for refusal, and what other services told."""

from services.vin.models import projections, reasons, requests
from services.vin.models.base import Base

__all__ = ["Base", "projections", "reasons", "requests"]
