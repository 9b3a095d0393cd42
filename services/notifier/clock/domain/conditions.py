"""Conditions of rules: small trees over facts.

A fact that is not known makes a test unknown, and unknown is not met: nothing is decided on a guess. `any` is met as
soon as one branch is, `not` of unknown stays unknown (Kleene's logic).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictFloat,
    StrictInt,
    model_serializer,
    model_validator,
)

Scalar = StrictBool | StrictInt | StrictFloat | Annotated[str, Field(max_length=200)]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,59}$")]
Facts = Mapping[str, Any]

MAX_DEPTH = 6
_ONE_TEST = "a condition is either all, any, not, or a fact with exactly one of is, in, has, at_least, below"


class Condition(BaseModel):
    """Exactly one form: `all`, `any`, `not`, or a test of one `fact`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    all_of: Annotated[tuple["Condition", ...] | None, Field(alias="all", min_length=1, max_length=12)] = None
    any_of: Annotated[tuple["Condition", ...] | None, Field(alias="any", min_length=1, max_length=12)] = None
    negated: Annotated["Condition | None", Field(alias="not")] = None
    fact: FactName | None = None
    equals: Annotated[Scalar | None, Field(alias="is")] = None
    one_of: Annotated[tuple[Scalar, ...] | None, Field(alias="in", min_length=1, max_length=30)] = None
    contains: Annotated[Scalar | None, Field(alias="has")] = None
    """The fact is a list that has this item."""
    at_least: StrictInt | StrictFloat | None = None
    below: StrictInt | StrictFloat | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "Condition":
        forms = [self.all_of, self.any_of, self.negated, self.fact]
        tests = [self.equals, self.one_of, self.contains, self.at_least, self.below]
        if sum(form is not None for form in forms) != 1:
            raise ValueError(_ONE_TEST)
        if sum(test is not None for test in tests) != (1 if self.fact is not None else 0):
            raise ValueError(_ONE_TEST)
        if self.depth() > MAX_DEPTH:
            raise ValueError(f"a condition is at most {MAX_DEPTH} levels deep")
        return self

    @model_serializer(mode="wrap")
    def _only_its_form(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}

    def children(self) -> tuple["Condition", ...]:
        """Return the conditions below this one."""
        if self.negated is not None:
            return (self.negated,)
        return self.all_of or self.any_of or ()

    def depth(self) -> int:
        """Return the number of levels, 1 for a single test."""
        return 1 + max((child.depth() for child in self.children()), default=0)

    def tests(self) -> Iterator["Condition"]:
        """Yield the tests at the leaves; their number is how specific the condition is."""
        if self.fact is not None:
            yield self
        for child in self.children():
            yield from child.tests()

    def fact_names(self) -> frozenset[str]:
        """Return the facts that the tests ask for."""
        return frozenset(test.fact for test in self.tests() if test.fact is not None)

    def evaluate(self, facts: Facts) -> bool | None:
        """Return True, False, or None where a fact that would decide is unknown."""
        if self.negated is not None:
            inner = self.negated.evaluate(facts)
            return None if inner is None else not inner
        if self.all_of is not None:
            results = [child.evaluate(facts) for child in self.all_of]
            return False if False in results else None if None in results else True
        if self.any_of is not None:
            results = [child.evaluate(facts) for child in self.any_of]
            return True if True in results else None if None in results else False
        value = facts.get(self.fact or "")
        return None if value is None else self._test(value)

    def _test(self, value: Any) -> bool:
        if self.contains is not None:
            return isinstance(value, list | tuple) and self.contains in value
        if self.equals is not None:
            return _same(value, self.equals)
        if self.one_of is not None:
            return any(_same(value, candidate) for candidate in self.one_of)
        number = _number(value)
        if number is None:
            return False
        if self.at_least is not None:
            return number >= self.at_least
        return self.below is not None and number < self.below


def holds(condition: Condition | None, facts: Facts) -> bool:
    """Return whether the condition is met; no condition always is, an unknown one is not."""
    return condition is None or condition.evaluate(facts) is True


def specificity(condition: Condition | None) -> int:
    """Return the number of tests, 0 without a condition."""
    return 0 if condition is None else sum(1 for _ in condition.tests())


def _same(value: Any, candidate: Any) -> bool:
    """Compare values as a rule does: `True == 1` in Python, here they are different facts."""
    return isinstance(value, bool) == isinstance(candidate, bool) and bool(value == candidate)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)  # Money comes as a decimal string.
    except (TypeError, ValueError):
        return None
