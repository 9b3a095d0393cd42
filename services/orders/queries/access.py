"""Who asks."""

from shared.identity.roles import Principal, Role


def is_staff(caller: Principal) -> bool:
    return caller.role is not Role.CLIENT
