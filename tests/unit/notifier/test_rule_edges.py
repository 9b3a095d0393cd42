"""The edges of rules: what they know about a subject, which of them wins, when a condition is met, whom they reach."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.notifier.clock.domain.conditions import MAX_DEPTH, Condition, holds, specificity
from services.notifier.clock.domain.facts import (
    concern_of,
    event_fields,
    known_facts,
    merge,
    moment_of,
    plain_facts,
    seen_by_rules,
    subject_id,
)
from services.notifier.clock.domain.ladder import Person, resolve_recipients, with_substitutes
from services.notifier.clock.domain.rules import (
    Trigger,
    can_close,
    in_force,
    matched_key,
    matches,
    most_specific_rule,
    refers_to_subject,
)
from services.notifier.clock.domain.subjects import SubjectRecord, number_of, subjects_from_json, subjects_of
from shared.contracts import billing
from tests.support.notifier import calendar
from tests.unit.notifier.test_rules import PAID, UNPAID, rule

OFFICE, OTHER_OFFICE = UUID(int=1), UUID(int=2)
ORDER, CLIENT, OTHER_CLIENT = UUID(int=11), UUID(int=21), UUID(int=22)
MANAGER, SENIOR, DIRECTOR, HEAD = (UUID(int=number) for number in range(31, 35))
START = datetime(2026, 3, 16, 4, tzinfo=UTC)  # A Monday, 09:00 in Yekaterinburg.
HOUR = timedelta(hours=1)
ROUND_THE_CLOCK = calendar()
OFFICE_HOURS = calendar(weekly=((("09:00", "18:00"),),) * 5 + ((), ()))


def after(hours: float) -> datetime:
    return START + hours * HOUR


# ── Facts and subjects ──


def paid(at: datetime) -> billing.OrderPaid:
    body = {"office_id": OFFICE, "version": 1, "occurred_at": at, "order_id": ORDER, "client_id": CLIENT}
    more = {"number": "1", "position_ids": [], "amount": "1.00", "paid_at": at}
    return billing.OrderPaid.model_validate({**body, **more})


def test_a_later_moment_wins_and_an_event_wins_over_a_field() -> None:
    payment = paid(after(1))
    concern = concern_of(payment.type, "order")
    assert concern is not None
    assert moment_of(payment, concern) == after(1)
    moment = "2026-03-16T05:00:00.000000+00:00"
    told = {"paid": [True, moment, 1]}
    body = payment.model_dump(mode="json")
    assert merge({}, body, payment, concern) == told
    assert merge({"paid": [False, moment, 0], "total": [1, moment, 0]}, body, payment, concern) == {
        **told,
        "total": [1, moment, 0],
    }
    later = {"paid": [False, "2026-03-16T05:00:00.000001+00:00", 0]}
    assert merge(later, body, payment, concern) == later
    assert plain_facts("order", told) == {"checked": False, "paid": True}
    assert plain_facts("order", {"checked": [True, moment, 1]}) == {"checked": True}
    assert plain_facts("claim", {}) == {}


def test_an_event_concerns_the_subjects_that_it_names() -> None:
    assert subjects_of(paid(START)) == {"order": ORDER}
    assert subject_id(paid(START), "client") == CLIENT
    assert subject_id(paid(START), "claim") is None
    assert concern_of("billing.order.paid.v1", "client") is None
    assert concern_of("unknown.v1", "client") is None
    assert subjects_from_json(None) == {}
    known = SubjectRecord("order", ORDER, OFFICE, CLIENT, None, "1", {"paid": [True, "m", 1]}, {"a.v1": "m"})
    assert subjects_from_json(json.dumps([asdict(known)], default=str)) == {"order": known}


@pytest.mark.parametrize(
    ("field", "number", "kind", "label"),
    [
        ("order_id", "М45-000001", "order", "М45-000001"),
        ("request_id", "17", "vin_request", "17"),
        ("request_id", "17", "request", None),
        ("order_id", "М45-000001", "client", None),
        ("order_id", 17, "order", None),
    ],
)
def test_the_number_labels_the_event_s_own_subject_only(field: str, number: Any, kind: str, label: str | None) -> None:
    event: Any = SimpleNamespace(subject_field=field, number=number)
    assert number_of(event, kind) == label
    unnumbered: Any = SimpleNamespace(subject_field=field)
    assert number_of(unnumbered, kind) is None


def test_the_facts_and_fields_that_conditions_may_name() -> None:
    assert known_facts("invoice") == {"amount", "paid"}
    assert known_facts("claim") == {"kind", "amount", "decision"}
    assert {"ordered", "kind", "disable_at", "rating"} <= known_facts("client")
    assert {"order_id", "client_id", "paid_at"} <= event_fields("billing.order.paid.v1")


def test_rules_see_plain_fields_and_nothing_personal() -> None:
    body: Mapping[str, Any] = {
        "full_name": "Иванов",
        "phone": "+7",
        "comment": "…",
        "number": "1",
        "total": "1.00",
        "goals": ["a"],
        "lines": [{"a": 1}],
        "nested": [["a"]],
        "vehicle": {"vin": "x"},
        "empty": [],
        "nothing": None,
    }
    assert seen_by_rules(body) == {"total": "1.00", "goals": ["a"], "empty": [], "nothing": None}


# ── Rules ──


def test_the_latest_version_in_force_counts() -> None:
    first, second = rule(), rule(version=2, effective_from=START)
    own, gone = rule(office_id=OFFICE), rule(code="ORD-05", active=False)
    assert in_force([second, first, own, gone], START) == [second, own]
    assert in_force([first, second], START) == [second]
    assert in_force([first, second], START - timedelta(seconds=1)) == [first]
    assert in_force([first], first.effective_from) == [first]


def test_the_most_specific_rule_wins() -> None:
    general, own, when = rule(), rule(office_id=OFFICE), rule(when=PAID)
    other = rule(duty="other", when={"all": [PAID, PAID]})
    assert most_specific_rule([general, when, own, other], "payment_contact", OFFICE, {"paid": True}) is own
    assert most_specific_rule([when, general], "payment_contact", OTHER_OFFICE, {"paid": True}) is when
    assert most_specific_rule([when, general], "payment_contact", OFFICE, {"paid": False}) is general
    assert most_specific_rule([own], "payment_contact", OTHER_OFFICE, {}) is None
    later_code = rule(code="ORD-05")
    assert most_specific_rule([later_code, general], "payment_contact", OFFICE, {}) is later_code


def test_a_trigger_finds_its_subject_by_the_first_field_with_a_value() -> None:
    trigger = Trigger.model_validate({"event": "a.b.v1", "match": ["order_id", "client_id"]})
    assert matched_key(trigger, "claim_id", {"order_id": str(ORDER), "client_id": str(CLIENT)}) == ("order_id", ORDER)
    assert matched_key(trigger, "claim_id", {"order_id": None, "client_id": str(CLIENT)}) == ("client_id", CLIENT)
    assert matched_key(trigger, "claim_id", {"claim_id": str(ORDER)}) is None
    own = Trigger.model_validate({"event": "a.b.v1", "when": PAID})
    assert matched_key(own, "claim_id", {"claim_id": str(ORDER)}) == ("claim_id", ORDER)
    assert matches(own, "a.b.v1", {"paid": True})
    assert not matches(own, "a.b.v1", {"paid": False})
    assert not matches(own, "a.c.v1", {"paid": True})


@pytest.mark.parametrize(
    ("body", "client_id", "field", "value", "about"),
    [
        ({}, CLIENT, "order_id", ORDER, True),
        ({}, CLIENT, "order_id", OTHER_OFFICE, False),
        ({"client_id": str(CLIENT)}, CLIENT, "order_id", ORDER, True),
        ({"client_id": str(OTHER_CLIENT)}, CLIENT, "order_id", ORDER, False),
        ({"client_id": str(OTHER_CLIENT)}, None, "order_id", ORDER, True),
        ({"client_id": None}, CLIENT, "order_id", ORDER, True),
        ({}, CLIENT, "client_id", CLIENT, True),
        ({}, CLIENT, "client_id", ORDER, False),
    ],
)
def test_an_event_about_another_client_is_a_mistake(
    body: dict[str, Any], client_id: UUID | None, field: str, value: UUID, about: bool
) -> None:
    assert refers_to_subject(body, "order_id", ORDER, client_id, field, value) is about


@pytest.mark.parametrize(
    ("field", "repeats", "hours", "closes"),
    [
        ("order_id", False, -1, True),
        ("order_id", True, 0, False),
        ("order_id", True, 0.1, True),
        ("client_id", False, 0, False),
        ("client_id", False, 0.1, True),
    ],
)
def test_only_its_own_id_closes_whatever_the_clocks_say(field: str, repeats: bool, hours: float, closes: bool) -> None:
    assert can_close(rule(repeats=repeats), "order_id", field, after(hours), START) is closes


# ── Conditions ──


def condition(**tree: Any) -> Condition:
    return Condition.model_validate(tree)


@pytest.mark.parametrize(
    ("test", "value", "met"),
    [
        ({"is": 1}, 1, True),
        ({"is": 1}, True, False),
        ({"is": True}, 1, False),
        ({"in": [1, "a"]}, "a", True),
        ({"in": [1, "a"]}, True, False),
        ({"has": "a"}, ["a", "b"], True),
        ({"has": "a"}, "abc", False),
        ({"at_least": 10}, "10.00", True),
        ({"at_least": 10}, 9.99, False),
        ({"at_least": 0}, True, False),
        ({"at_least": 0}, "ten", False),
        ({"at_least": 0}, [], False),
        ({"below": 10}, "9.99", True),
        ({"below": 10}, 10, False),
        ({"is": 1}, None, None),
    ],
)
def test_a_test_of_one_fact(test: dict[str, Any], value: Any, met: bool | None) -> None:
    tested = condition(fact="total", **test)
    assert tested.evaluate({"total": value}) is met
    assert condition(**{"not": {"fact": "total", **test}}).evaluate({"total": value}) is (
        None if met is None else not met
    )
    assert holds(tested, {"total": value}) is (met is True)


def test_all_and_any_with_what_is_not_known() -> None:
    unknown = {"fact": "city", "is": "x"}
    facts = {"paid": True}
    assert condition(all=[PAID, unknown]).evaluate(facts) is None
    assert condition(all=[UNPAID, unknown]).evaluate(facts) is False
    assert condition(all=[PAID]).evaluate(facts) is True
    assert condition(any=[PAID, unknown]).evaluate(facts) is True
    assert condition(any=[UNPAID, unknown]).evaluate(facts) is None
    assert condition(any=[UNPAID]).evaluate(facts) is False
    assert holds(None, {})


def test_a_condition_counts_its_tests_and_its_depth() -> None:
    tree = condition(all=[PAID, {"any": [UNPAID, {"not": {"fact": "city", "is": "x"}}]}])
    assert (specificity(tree), tree.depth()) == (3, 4)
    assert tree.fact_names() == {"paid", "city"}
    assert specificity(None) == 0
    deepest: dict[str, Any] = PAID
    for _ in range(MAX_DEPTH - 1):
        deepest = {"not": deepest}
    assert condition(**deepest).depth() == MAX_DEPTH
    with pytest.raises(ValueError, match="at most 6 levels deep"):
        condition(**{"not": deepest})


@pytest.mark.parametrize(
    "tree", [{}, {"all": [PAID], "fact": "paid", "is": True}, {"fact": "paid"}, {"fact": "a", "is": 1, "in": [1]},
             {"all": [PAID], "is": True}]
)  # fmt: skip
def test_a_condition_has_exactly_one_form(tree: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a condition is either all, any, not, or a fact with exactly one of"):
        condition(**tree)


# ── People ──


def person(identity: UUID, role: str, office: UUID | None = OFFICE) -> Person:
    return Person(identity, office, role, "Имя", "a@x")


PEOPLE = [
    person(MANAGER, "manager"),
    person(SENIOR, "senior_manager"),
    person(DIRECTOR, "director"),
    person(HEAD, "head_office", None),
    person(UUID(int=40), "manager", OTHER_OFFICE),
]


@pytest.mark.clause("NTF-03")
@pytest.mark.parametrize(
    ("role", "responsible", "reached", "ids"),
    [
        ("manager", MANAGER, "manager", [MANAGER]),
        ("manager", None, "manager", [MANAGER]),
        ("manager", SENIOR, "manager", [SENIOR]),
        ("manager", DIRECTOR, "manager", [MANAGER]),
        ("senior_manager", None, "senior_manager", [SENIOR]),
        ("director", None, "director", [DIRECTOR]),
        ("head_office", None, "head_office", [HEAD]),
    ],
)
def test_a_level_reaches_its_people(role: Any, responsible: UUID | None, reached: str, ids: list[UUID]) -> None:
    found_role, found = resolve_recipients(role, OFFICE, responsible, PEOPLE)
    assert (found_role, [each.id for each in found]) == (reached, ids)


@pytest.mark.clause("ORG-03")
def test_an_empty_level_goes_one_up_and_the_senior_stands_in_for_the_director() -> None:
    without = {role: [each for each in PEOPLE if each.role != role] for role in ("manager", "director")}
    assert resolve_recipients("manager", OFFICE, None, without["manager"])[0] == "senior_manager"
    role, [senior] = resolve_recipients("director", OFFICE, None, without["director"])
    assert (role, senior.id) == ("director", SENIOR)
    assert resolve_recipients("director", OFFICE, None, [PEOPLE[3]]) == ("head_office", [PEOPLE[3]])
    assert resolve_recipients("manager", OFFICE, None, []) == ("head_office", [])
    twice = resolve_recipients("manager", OFFICE, None, [PEOPLE[0], PEOPLE[0]])
    assert twice == ("manager", [PEOPLE[0]])


def test_a_substitute_acts_in_the_role_and_office_of_who_is_absent() -> None:
    acting, stands_in = with_substitutes(PEOPLE[:3], {DIRECTOR: SENIOR, MANAGER: None})
    assert acting == [PEOPLE[1], person(SENIOR, "director")]
    assert stands_in == {DIRECTOR: SENIOR}
    nobody, none = with_substitutes(PEOPLE[:2], {MANAGER: SENIOR, SENIOR: MANAGER})
    assert (nobody, none) == ([], {})
