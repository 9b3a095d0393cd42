"""Tables of `control`: offices, staff, figures, penalty points and projections."""

from services.control.models import offices, penalties, projections, staff
from services.control.models.base import Base

__all__ = ["Base", "offices", "penalties", "projections", "staff"]
