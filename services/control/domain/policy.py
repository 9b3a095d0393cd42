"""Figures of the regulations that head office may change from a date on (ORG-03, K12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import TypeAdapter

from services.control.defaults import first_policies
from shared.base.errors import Invalid


class PolicyCode(StrEnum):  # noqa: D101 (a docstring would be published)
    TURNOVER_THRESHOLD = "turnover_threshold"
    NORM_MANAGERS = "norm_managers"
    NORM_SENIOR_MANAGERS = "norm_senior_managers"


@dataclass(frozen=True, slots=True)
class PolicyDefinition:
    """A figure: its title, clause, unit and bounds."""

    title: str
    clause: str
    unit: str
    default: Decimal
    """The figure of the regulations, in force until head office sets another."""
    whole: bool
    highest: Decimal


POLICIES: Mapping[PolicyCode, PolicyDefinition] = TypeAdapter(dict[PolicyCode, PolicyDefinition]).validate_python(
    first_policies()
)
"""The figures of `defaults/policies.toml`, one for each code."""


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """A value of a figure in force from a date on."""

    code: PolicyCode
    effective_from: date
    value: Decimal


@dataclass(frozen=True, slots=True)
class Norms:
    """The figures of ORG-03 on one day."""

    turnover_threshold: Decimal
    managers: int
    senior_managers: int


def value_on(code: PolicyCode, values: Iterable[PolicyValue], day: date) -> Decimal:
    """Return the latest value in force on `day`, else the regulations' own figure."""
    in_force = [value for value in values if value.code == code and value.effective_from <= day]
    if not in_force:
        return POLICIES[code].default
    return max(in_force, key=lambda value: value.effective_from).value


def norms_on(values: Iterable[PolicyValue], day: date) -> Norms:
    """Return the figures of ORG-03 in force on `day`."""
    values = list(values)
    return Norms(
        turnover_threshold=value_on(PolicyCode.TURNOVER_THRESHOLD, values, day),
        managers=int(value_on(PolicyCode.NORM_MANAGERS, values, day)),
        senior_managers=int(value_on(PolicyCode.NORM_SENIOR_MANAGERS, values, day)),
    )


def check_value(code: PolicyCode, value: Decimal) -> None:
    """Verify that a value lies within the bounds of its figure.  Raises Invalid."""
    definition = POLICIES[code]
    if not 0 <= value <= definition.highest:
        raise Invalid(f"Значение от 0 до {definition.highest}.", field="value")
    if definition.whole and value != value.to_integral_value():
        raise Invalid("Нужно целое число.", field="value")
