"""Tables of control: offices, staff, policy, penalty points, and what it has heard from the other services."""

from shared.persistence.database import ServiceBase, new_metadata


class Base(ServiceBase):
    metadata = new_metadata()
