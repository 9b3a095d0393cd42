"""What a caller's role may see."""

from shared.identity.roles import Principal, Role


def is_staff(caller: Principal) -> bool:
    """Return whether the caller sees internal values: suppliers, purchase prices, internal comments (ORD-08)."""
    return caller.role is not Role.CLIENT
