"""Failures of the demonstration."""

from typing import Any


class DemoFailed(Exception):
    """A promise of the day did not hold.  The message says which, in Russian."""


def check(holds: Any, what: str, found: Any = None) -> None:
    """Raise DemoFailed unless it holds; `found` is shown beside what was expected."""
    if not holds:
        raise DemoFailed(what if found is None else f"{what}; получено: {found!r}")


def check_equal(found: Any, expected: Any, what: str) -> None:
    """Raise DemoFailed unless both are equal."""
    if found != expected:
        raise DemoFailed(f"{what}: ожидалось {expected!r}, получено {found!r}")
