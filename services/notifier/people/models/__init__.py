"""Tables of the people and offices that notices are for; `Base` of all tables of `notifier`."""

from services.notifier.people.models import preferences, projections
from services.notifier.people.models.base import Base

__all__ = ["Base", "preferences", "projections"]
