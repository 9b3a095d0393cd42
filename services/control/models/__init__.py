"""Tables of control: offices, staff, policy, penalty points, and what it has heard from the other services."""

from services.control.models import offices, penalties, projections, staff
from services.control.models.base import Base

__all__ = ["Base", "offices", "penalties", "projections", "staff"]
