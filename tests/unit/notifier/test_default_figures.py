"""What the default rules demand beyond the durations: which call counts, and when the director is notified."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifier.clock.defaults import default_rules
from services.notifier.clock.domain.rules import Rule, matches
from services.notifier.clock.domain.schedule import schedule
from shared.contracts.clients import CallLogged
from tests.support.notifier import calendar, minutes

OPENED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def default_rule(code: str) -> Rule:
    (only,) = [rule for rule in default_rules() if rule.code == code]
    return only


@pytest.mark.clause("CALL-06")
@pytest.mark.parametrize(
    ("call", "closed"),
    [
        ({"outcome": "reached", "goals": ["order_offer"]}, True),
        ({"outcome": "reached", "goals": ["order_contact", "order_offer"]}, True),
        ({"outcome": "no_answer", "goals": ["order_offer"]}, False),
        ({"outcome": "cannot_talk", "goals": ["order_offer"]}, False),
        ({"outcome": "reached", "goals": ["order_contact"]}, False),
        ({"outcome": "reached", "goals": []}, False),
    ],
)
def test_only_a_conversation_about_the_offer_closes_the_call_after_an_order(call: dict[str, Any], closed: bool) -> None:
    closes = default_rule("CALL-06").closes
    assert any(matches(trigger, CallLogged.type, call) for trigger in closes) is closed


@pytest.mark.clause("K1", "ORD-06")
def test_the_director_is_notified_at_the_hard_limit_of_a_paid_check() -> None:
    plan = schedule(default_rule("ORD-06-PAID"), calendar(), OPENED, {})
    assert plan.due_at == OPENED + minutes(30)
    (director,) = [step for step in plan.steps if step.role == "director"]
    assert director.at == OPENED + minutes(60)


@pytest.mark.clause("K1", "ORD-06")
@pytest.mark.parametrize(
    ("facts", "figure"),
    [
        ({"check_requested": True, "paid": True}, 30),
        ({"check_requested": True, "paid": False}, 120),
        ({"check_requested": False, "paid": True}, None),
    ],
)
def test_the_time_of_a_check_depends_on_the_payment(facts: dict[str, bool], figure: int | None) -> None:
    applicable = [
        rule
        for rule in default_rules()
        if rule.obligation_kind == "applicability_check" and rule.when is not None and rule.when.evaluate(facts)
    ]
    assert [schedule(rule, calendar(), OPENED, {}).due_at for rule in applicable] == (
        [] if figure is None else [OPENED + minutes(figure)]
    )


@pytest.mark.clause("CALL-04", "K3")
def test_the_cold_list_is_due_every_day_and_not_every_week() -> None:
    every = default_rule("CALL-04").every
    assert every is not None
    assert (every.of, every.period) == ("office", "day")
