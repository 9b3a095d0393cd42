"""When the steps of an obligation come, and which people each of them reaches."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.clock.defaults import default_rules
from services.notifier.clock.domain.ladder import Person, resolve_recipients
from services.notifier.clock.domain.rules import LadderRole
from services.notifier.clock.domain.schedule import schedule
from shared.persistence.database import new_id
from shared.vocabulary.worktime import Duration, Unit
from tests.support.notifier import calendar
from tests.unit.notifier.test_rules import rule

# ── Schedule ──

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_schedule_warns_breaches_reaches_the_limit_and_climbs_in_order_of_time() -> None:
    opened = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    (obligation,) = [each for each in default_rules() if each.code == "ORD-07"]
    plan = schedule(obligation, calendar(), opened, {})
    assert plan.due_at == opened + timedelta(days=3)
    assert [(step.level, step.kind, step.role) for step in plan.steps] == [
        (1, "warning", "manager"),
        (2, "warning", "manager"),
        (3, "breach", "manager"),
        (4, "limit", None),
        (5, "escalation", "senior_manager"),
        (6, "escalation", "director"),
        (7, "escalation", "head_office"),
    ]
    assert plan.soon_at == opened + timedelta(days=1.5)
    assert [step.at for step in plan.steps] == sorted(step.at for step in plan.steps)


def test_a_warning_stands_at_its_share_of_the_working_time() -> None:
    hours = ((("09:00", "13:00"), ("14:00", "18:00")),) * 5 + ((), ())
    monday = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # 12:30 in Yekaterinburg.
    plan = schedule(rule(warnings=[{"share": 75}]), calendar(weekly=hours), monday, {})
    assert plan.due_at == datetime(2026, 11, 23, 9, 10, tzinfo=UTC)
    assert plan.soon_at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # Lunch begins; thirty minutes are over.


@given(
    amount=st.integers(1, 500),
    unit=st.sampled_from(list(Unit)),
    shares=st.lists(st.integers(1, 99), unique=True, max_size=4).map(sorted),
    opened=st.integers(0, 365 * 24 * 60).map(
        lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    ),
)
def test_no_step_before_the_opening_and_no_warning_after_the_deadline(
    amount: int, unit: Unit, shares: list[int], opened: datetime
) -> None:
    hours = ((("09:00", "13:00"), ("14:00", "18:00")),) * 5 + ((), ())
    duration = Duration(amount=amount, unit=unit)
    each = rule(duration=duration, warnings=[{"share": share} for share in shares])
    plan = schedule(each, calendar(weekly=hours), opened, {})
    assert all(opened <= step.at for step in plan.steps)
    assert all(step.at <= plan.due_at for step in plan.steps if step.kind == "warning")
    assert [step.level for step in plan.steps] == list(range(1, len(plan.steps) + 1))


def test_the_deadline_named_by_the_event_wins_over_the_duration() -> None:
    (obligation,) = [each for each in default_rules() if each.code == "CL-06"]
    opened = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert schedule(obligation, calendar(), opened, {"disable_at": "2026-11-25T00:00:00Z"}).due_at == datetime(
        2026, 11, 25, tzinfo=UTC
    )
    assert schedule(obligation, calendar(), opened, {}).due_at == opened + timedelta(hours=72)


# ── Ladder ──

OFFICE = new_id()


def person(role: str, office: Any = OFFICE) -> Person:
    return Person(new_id(), None if role == "head_office" else office, role, role, f"{role}@example.ru")


MANAGER, SECOND_MANAGER, SENIOR, DIRECTOR, HEAD = (
    person(role) for role in ("manager", "manager", "senior_manager", "director", "head_office")
)
STRANGER = person("senior_manager", new_id())


@pytest.mark.clause("K7", "NTF-03")
@pytest.mark.parametrize(
    ("role", "responsible", "people", "recipients"),
    [
        ("manager", MANAGER, [MANAGER, SECOND_MANAGER, SENIOR], [MANAGER]),
        ("manager", None, [MANAGER, SECOND_MANAGER, SENIOR], [MANAGER, SECOND_MANAGER]),
        ("manager", MANAGER, [SECOND_MANAGER, SENIOR], [SECOND_MANAGER]),
        ("manager", SENIOR, [MANAGER, SENIOR], [SENIOR]),
        ("manager", None, [SENIOR, DIRECTOR], [SENIOR]),
        ("senior_manager", MANAGER, [MANAGER, SENIOR, DIRECTOR, STRANGER], [SENIOR]),
        ("director", MANAGER, [MANAGER, SENIOR, DIRECTOR], [DIRECTOR]),
        ("director", MANAGER, [MANAGER, SENIOR], [SENIOR]),
        ("director", MANAGER, [MANAGER, HEAD], [HEAD]),
        ("senior_manager", MANAGER, [MANAGER, STRANGER], []),
        ("head_office", MANAGER, [MANAGER, HEAD], [HEAD]),
    ],
)
def test_each_level_reaches_its_people(
    role: LadderRole, responsible: Person | None, people: list[Person], recipients: list[Person]
) -> None:
    """NTF-03, ORG-03, K7."""
    assert resolve_recipients(role, OFFICE, responsible.id if responsible else None, people)[1] == recipients
