"""The dry run of rules over a history: what opens, waits, moves and closes, and what a draft would change."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import pytest

from services.notifier.clock.domain.replay import (
    CalendarOpening,
    Difference,
    PastEvent,
    Replay,
    StaffAction,
    differences,
    with_draft,
)
from services.notifier.clock.domain.replayed_obligation import ReplayedObligation
from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.domain.waiting import Span
from tests.support.notifier import calendar
from tests.unit.notifier.test_rules import PAID, UNPAID, rule

OFFICE, OTHER_OFFICE = UUID(int=1), UUID(int=2)
ORDER, OTHER_ORDER = UUID(int=11), UUID(int=12)
CLIENT, OTHER_CLIENT = UUID(int=21), UUID(int=22)
MANAGER, STAFF = UUID(int=31), UUID(int=32)
START = datetime(2026, 3, 16, 9, tzinfo=UTC)
PLACED, PROCESSED = "orders.order.placed.v1", "orders.order.processed.v1"
PAYMENT, CHECKED = "billing.order.paid.v1", "orders.applicability.checked.v1"
HOUR = timedelta(hours=1)
TWO_HOURS = {"amount": 2, "unit": "calendar_hours"}
CALENDARS = {OFFICE: calendar(), OTHER_OFFICE: calendar()}


def after(hours: float) -> datetime:
    return START + hours * HOUR


def event(name: str, hours: float, order: UUID = ORDER, *, office: UUID = OFFICE, **body: Any) -> PastEvent:
    fields = {"order_id": str(order), "client_id": str(CLIENT), **body}
    return PastEvent(name, office, after(hours), {key: value for key, value in fields.items() if value is not None})


def deed(what: Literal["wait", "move", "done", "reopen"], hours: float, **changes: Any) -> StaffAction:
    return StaffAction(ORDER, "payment_contact", after(hours), what, **changes)


def timed(**changes: Any) -> Rule:
    return rule(duration=TWO_HOURS, **changes)


def replay(*history: Any, rules: Sequence[Rule] = (), end: float = 100) -> list[ReplayedObligation]:
    chosen = list(rules) or [timed()]
    return Replay(lambda _: chosen, CALENDARS, {CLIENT: MANAGER}).run(history, after(end))


def only(*history: Any, rules: Sequence[Rule] = (), end: float = 100) -> ReplayedObligation:
    [found] = replay(*history, rules=rules, end=end)
    return found


# ── Opening ──


def test_an_event_opens_the_obligation_of_its_rule() -> None:
    chosen = timed()
    found = only(event(PLACED, 0), rules=[chosen])
    assert found == ReplayedObligation(chosen, OFFICE, ORDER, CLIENT, MANAGER, START, after(2))
    assert found.key == ("payment_contact", ORDER, START)


def test_who_is_responsible_is_the_client_s_manager_or_who_the_event_names() -> None:
    assert only(event(PLACED, 0, staff_id=str(STAFF))).responsible_id == MANAGER
    stranger = only(event(PLACED, 0, client_id=str(OTHER_CLIENT), staff_id=str(STAFF)))
    assert (stranger.client_id, stranger.responsible_id) == (OTHER_CLIENT, STAFF)
    nobody = only(event(PLACED, 0, client_id=None))
    assert (nobody.client_id, nobody.responsible_id) == (None, None)


def test_nothing_opens_outside_the_offices_or_without_a_subject_or_by_another_office_s_rule() -> None:
    assert replay(event(PLACED, 0, office=UUID(int=9))) == []
    assert replay(event(PLACED, 0, order_id=None)) == []
    assert replay(event(CHECKED, 0)) == []
    assert replay(event("orders.unknown.v1", 0)) == []
    own = timed(office_id=OTHER_OFFICE)
    assert replay(event(PLACED, 0), rules=[own]) == []
    assert only(event(PLACED, 0, office=OTHER_OFFICE), rules=[own]).office_id == OTHER_OFFICE


def test_the_rule_is_chosen_by_the_facts_known_so_far() -> None:
    paid, unpaid = timed(code="ORD-06-PAID", when=PAID), timed(code="ORD-06-UNPAID", when=UNPAID)
    rules = [paid, unpaid]
    assert only(event(PLACED, 0, paid=True), rules=rules).rule is paid
    assert only(event(PLACED, 0, paid=False), rules=rules).rule is unpaid
    assert replay(event(PLACED, 0), rules=rules) == []
    earlier = only(event(PAYMENT, -1), event(PLACED, 0, paid=None), rules=rules)
    assert earlier.rule is paid


def test_an_obligation_counts_from_the_latest_of_its_openers() -> None:
    two = timed(opens=[PLACED, PAYMENT], when=PAID)
    found = only(event(PLACED, 0, paid=None), event(PAYMENT, 1), rules=[two])
    assert (found.opened_at, found.due_at) == (after(1), after(3))


def test_an_obligation_opens_once_unless_its_rule_repeats() -> None:
    again = [event(PLACED, 0), event(PLACED, 1), event(PROCESSED, 2), event(PLACED, 3)]
    assert [found.opened_at for found in replay(*again)] == [START]
    repeated = replay(*again, rules=[timed(repeats=True)])
    assert [(found.opened_at, found.outcome) for found in repeated] == [(START, "done"), (after(3), "open")]


def test_each_subject_and_each_duty_has_an_obligation_of_its_own() -> None:
    rules = [timed(), timed(code="ORD-05", duty="processing")]
    found = replay(event(PLACED, 0), event(PLACED, 1, OTHER_ORDER), rules=rules)
    assert {each.key for each in found} == {
        ("payment_contact", ORDER, START),
        ("processing", ORDER, START),
        ("payment_contact", OTHER_ORDER, after(1)),
        ("processing", OTHER_ORDER, after(1)),
    }


# ── Closing ──


def test_an_event_of_the_subject_closes_it() -> None:
    found = only(event(PLACED, 0), event(PROCESSED, 1))
    assert (found.outcome, found.closed_at) == ("done", after(1))
    other = only(event(PLACED, 0), event(PROCESSED, 1, OTHER_ORDER))
    assert (other.outcome, other.closed_at) == ("open", None)


def test_an_event_cancels_it_and_the_first_end_is_the_end() -> None:
    cancelling = timed(cancels=[{"event": CHECKED}])
    found = only(event(PLACED, 0), event(CHECKED, 1), event(PROCESSED, 2), rules=[cancelling])
    assert (found.outcome, found.closed_at) == ("cancelled", after(1))
    both = timed(cancels=[{"event": PROCESSED}])
    assert only(event(PLACED, 0), event(PROCESSED, 1), rules=[both]).outcome == "done"


def test_a_trigger_has_conditions_on_the_event() -> None:
    picky = timed(closes=[{"event": CHECKED, "when": {"fact": "complete", "is": True}}])
    assert only(event(PLACED, 0), event(CHECKED, 1), rules=[picky]).outcome == "open"
    assert only(event(PLACED, 0), event(CHECKED, 1, complete=True), rules=[picky]).outcome == "done"


def test_a_call_to_the_client_closes_what_it_can_have_fulfilled() -> None:
    by_call = timed(closes=[{"event": "clients.call.logged.v1", "match": ["order_id", "client_id"]}])
    call = "clients.call.logged.v1"
    assert only(event(PLACED, 0), event(call, 1, order_id=None), rules=[by_call]).outcome == "done"
    assert only(event(PLACED, 0), event(call, 0, order_id=None), rules=[by_call]).outcome == "open"
    stranger = event(call, 1, order_id=None, client_id=str(OTHER_CLIENT))
    assert only(event(PLACED, 0), stranger, rules=[by_call]).outcome == "open"
    assert only(event(PLACED, 0), event(call, 1, OTHER_ORDER), rules=[by_call]).outcome == "open"


def test_an_office_may_close_what_another_office_opened() -> None:
    found = only(event(PLACED, 0), event(PROCESSED, 1, office=OTHER_OFFICE))
    assert (found.office_id, found.outcome) == (OFFICE, "done")


# ── Another rule ──


def test_a_changed_fact_brings_another_rule_counted_from_the_opening() -> None:
    paid = timed(code="ORD-06-PAID", when=PAID, changes=[PAYMENT])
    unpaid = rule(
        code="ORD-06-UNPAID", when=UNPAID, changes=[PAYMENT], duration={"amount": 5, "unit": "calendar_hours"}
    )
    found = only(event(PLACED, 0, paid=False), event(PAYMENT, 1), rules=[paid, unpaid])
    assert (found.rule, found.opened_at, found.due_at) == (paid, START, after(2))


def test_a_changed_fact_without_a_rule_cancels() -> None:
    unpaid = timed(when=UNPAID, changes=[PAYMENT])
    found = only(event(PLACED, 0, paid=False), event(PAYMENT, 1), rules=[unpaid])
    assert (found.outcome, found.closed_at) == ("cancelled", after(1))
    deaf = timed(when=UNPAID)
    assert only(event(PLACED, 0, paid=False), event(PAYMENT, 1), rules=[deaf]).outcome == "open"
    repeating = timed(when=UNPAID, changes=[PAYMENT], repeats=True)
    assert only(event(PLACED, 0, paid=False), event(PAYMENT, 1), rules=[repeating]).outcome == "open"


# ── Waiting ──

WAITING = {
    "waits": [{"event": CHECKED, "holder": "client"}],
    "resumes": [{"event": PAYMENT}],
    "pauses_for": ["client"],
}


def test_events_stop_the_clock_and_let_it_go_on() -> None:
    found = only(event(PLACED, 0), event(CHECKED, 1), event(PAYMENT, 4), rules=[timed(**WAITING)])
    assert found.spans == [Span("client", True, after(1), after(4))]
    assert found.due_at == after(5)


def test_waiting_without_a_pause_leaves_the_deadline() -> None:
    chosen = timed(**{**WAITING, "pauses_for": []})
    found = only(event(PLACED, 0), event(CHECKED, 1), event(PAYMENT, 4), rules=[chosen])
    assert found.spans == [Span("client", False, after(1), after(4))]
    assert found.due_at == after(2)


def test_an_event_of_the_opening_moment_or_of_another_order_stops_nothing() -> None:
    assert only(event(PLACED, 0), event(CHECKED, 0), rules=[timed(**WAITING)]).spans == []
    assert only(event(PLACED, 0), event(CHECKED, 1, OTHER_ORDER), rules=[timed(**WAITING)]).spans == []


def test_a_person_lets_it_wait_and_go_on() -> None:
    rules = [timed(pauses_for=["client"])]
    waiting = deed("wait", 1, holder="client", role="manager")
    found = only(event(PLACED, 0), waiting, deed("wait", 3), rules=rules)
    assert (found.spans, found.due_at) == ([Span("client", True, after(1), after(3))], after(4))
    passed_on = only(event(PLACED, 0), waiting, deed("wait", 3, holder="supplier"), rules=rules)
    assert passed_on.spans == [Span("client", True, after(1), after(3)), Span("supplier", False, after(3))]
    same = only(event(PLACED, 0), waiting, deed("wait", 3, holder="client"), rules=rules)
    assert same.spans == [Span("client", True, after(1))]


def test_what_is_told_late_about_an_earlier_moment_is_not_taken() -> None:
    found = only(
        event(PLACED, 0),
        deed("wait", 3, holder="client"),
        deed("wait", 2),
        deed("wait", -1, holder="supplier"),
        rules=[timed(pauses_for=["client"])],
    )
    assert found.spans == [Span("client", True, after(3))]


def test_the_longest_pause_ends_by_itself() -> None:
    limited = timed(
        pauses_for=["client"],
        longest_pauses=[
            {"role": "manager", "up_to": TWO_HOURS},
            {"role": None, "up_to": {"amount": 1, "unit": "calendar_hours"}},
        ],
    )
    found = only(event(PLACED, 0), deed("wait", 1, holder="client", role="manager"), rules=[limited])
    assert found.spans == [Span("client", True, after(1), after(3)), Span("client", False, after(3))]
    assert found.due_at == after(4)
    running = only(event(PLACED, 0), deed("wait", 1, holder="client", role="manager"), rules=[limited], end=2)
    assert running.spans == [Span("client", True, after(1), until=after(3))]
    director = only(event(PLACED, 0), deed("wait", 1, holder="client", role="director"), rules=[limited])
    assert director.due_at == after(3)
    used_up = [
        *(event(PLACED, 0), deed("wait", 1, holder="client", role="manager"), deed("wait", 3)),
        deed("wait", 3.5, holder="client", role="manager"),
    ]
    assert only(*used_up, rules=[limited]).spans[-1] == Span("client", False, after(3.5))


def test_working_time_is_paused_in_working_time() -> None:
    office = {OFFICE: calendar(weekly=((("09:00", "18:00"),),) * 7)}  # 04:00 to 13:00 UTC
    working = rule(duration={"amount": 120, "unit": "working_minutes"}, pauses_for=["client"])
    history: list[PastEvent | StaffAction | CalendarOpening] = [
        event(PLACED, 0),
        deed("wait", 1, holder="client"),
        deed("wait", 24),
    ]
    [found] = Replay(lambda _: [working], office, {}).run(history, after(100))
    assert found.due_at == after(25)
    night: list[PastEvent | StaffAction | CalendarOpening] = [
        event(PLACED, 0),
        deed("wait", 1, holder="client"),
        deed("wait", 12),
    ]
    [found] = Replay(lambda _: [working], office, {}).run(night, after(100))
    assert found.due_at == after(20)


def test_an_event_stops_every_clock_that_it_concerns() -> None:
    both = [timed(**WAITING), timed(**WAITING, code="ORD-05", duty="processing")]
    found = replay(event(PLACED, 0), event(CHECKED, 1), event(PAYMENT, 4), rules=both)
    assert [each.due_at for each in found] == [after(5), after(5)]


def test_one_duty_that_is_open_already_hinders_no_other() -> None:
    rules = [timed(), timed(code="ORD-05", duty="processing", repeats=True)]
    found = replay(event(PLACED, 0), event(PROCESSED, 1, order_id=str(ORDER)), event(PLACED, 2), rules=rules)
    assert [(each.rule.code, each.opened_at) for each in found] == [
        ("ORD-04", after(0)),
        ("ORD-05", after(0)),
        ("ORD-05", after(2)),
    ]


def test_a_limit_of_working_time_and_an_agreed_deadline_follow_the_calendar() -> None:
    office = {OFFICE: calendar(weekly=((("09:00", "18:00"),),) * 7)}  # 04:00 to 13:00 UTC
    limit = {"role": None, "up_to": {"amount": 60, "unit": "working_minutes"}}
    duration = {"amount": 120, "unit": "working_minutes"}
    limited = rule(duration=duration, pauses_for=["client"], longest_pauses=[limit])
    history: list[Any] = [event(PLACED, 0), deed("wait", 1, holder="client")]
    [found] = Replay(lambda _: [limited], office, {}).run(history, after(100))
    assert found.spans[0] == Span("client", True, after(1), after(2))
    unlimited = rule(duration=duration, pauses_for=["client"])
    # Agreed: an hour of work is left when it pauses, and is left when it goes on the next morning at 04:00.
    moved: list[Any] = [
        *(event(PLACED, 0), deed("move", 0.5, due_at=after(2)), deed("wait", 1, holder="client")),
        deed("wait", 12),
    ]
    [agreed] = Replay(lambda _: [unlimited], office, {}).run(moved, after(100))
    assert (agreed.due_at, agreed.agreed) == (after(20), after(20))


def test_a_pause_that_is_used_up_ends_before_another_rule_applies() -> None:
    hour = {"amount": 1, "unit": "calendar_hours"}
    fields = {"changes": [PAYMENT], "pauses_for": ["client"], "longest_pauses": [{"role": None, "up_to": hour}]}
    paid, unpaid = timed(code="ORD-06-PAID", when=PAID, **fields), timed(code="ORD-06", when=UNPAID, **fields)
    history = [event(PLACED, 0, paid=False), deed("wait", 1, holder="client"), event(PAYMENT, 5)]
    found = only(*history, rules=[paid, unpaid])
    assert (found.rule, found.due_at) == (paid, after(3))
    assert found.spans == [Span("client", True, after(1), after(2)), Span("client", False, after(2))]


def test_a_day_of_the_calendar_is_judged_by_the_rules_of_that_day() -> None:
    fields = {"opens": [], "subject": "office", "every": {"period": "day"}, "by_hand": True, "closes": []}
    old, new = timed(**fields), timed(**fields, version=2, effective_from=after(5))
    opening = CalendarOpening(old, OFFICE, ORDER, STAFF, START)
    later = opening._replace(happened_at=after(6))
    run = Replay(lambda moment: [new] if moment >= after(5) else [old], CALENDARS, {}).run
    assert [each.opened_at for each in run([opening, later], after(9))] == [START]


# ── People's other deeds ──


def test_a_deadline_agreed_with_the_client_moves_with_later_pauses() -> None:
    rules = [timed(pauses_for=["client"], changes=[PAYMENT])]
    moved = [event(PLACED, 0), deed("move", 1, due_at=after(8))]
    found = only(*moved, rules=rules)
    assert (found.due_at, found.agreed) == (after(8), after(8))
    paused = only(*moved, deed("wait", 2, holder="client"), deed("wait", 5), rules=rules)
    assert (paused.due_at, paused.agreed) == (after(11), after(11))
    assert only(event(PLACED, 0), deed("move", 1), rules=rules).due_at == after(2)


def test_only_a_rule_by_hand_is_done_by_hand() -> None:
    by_hand = only(event(PLACED, 0), deed("done", 1), rules=[timed(by_hand=True)])
    assert (by_hand.outcome, by_hand.closed_at) == ("done", after(1))
    assert only(event(PLACED, 0), deed("done", 1)).outcome == "open"


def test_deeds_without_an_obligation_do_nothing() -> None:
    assert replay(deed("done", 1)) == []
    other = StaffAction(OTHER_ORDER, "payment_contact", after(1), "wait", "client")
    assert only(event(PLACED, 0), other).spans == []
    late = only(event(PLACED, 0), event(PROCESSED, 1), deed("wait", 2, holder="client"))
    assert (late.outcome, late.spans) == ("done", [])
    assert only(event(PLACED, 0), deed("reopen", 1)).spans == []


def test_the_time_in_which_it_counted_as_done_by_mistake_is_given_back() -> None:
    found = only(event(PLACED, 0), event(PROCESSED, 1), deed("reopen", 3))
    assert (found.outcome, found.closed_at, found.due_at) == ("open", None, after(4))
    assert found.spans == [Span("nobody", True, after(1), after(3))]


def test_a_pause_that_ran_at_the_mistake_is_given_back_too() -> None:
    history = [event(PLACED, 0), deed("wait", 1, holder="client"), event(PROCESSED, 2), deed("reopen", 5)]
    found = only(*history, rules=[timed(pauses_for=["client"])])
    assert found.spans == [Span("client", True, after(1), after(2)), Span("nobody", True, after(2), after(5))]
    assert found.due_at == after(6)


# ── Breaches ──


@pytest.mark.parametrize(
    ("history", "end", "breached"),
    [
        ([], 2, False),
        ([], 2.1, True),
        ([event(PROCESSED, 2)], 10, False),
        ([event(PROCESSED, 2.1)], 10, True),
        ([deed("wait", 1, holder="client")], 10, False),
        ([deed("wait", 2, holder="client")], 10, False),
        ([deed("wait", 2.1, holder="client")], 10, True),
        ([deed("wait", 1, holder="client"), event(PROCESSED, 9)], 10, False),
        ([deed("wait", 2, holder="client"), event(PROCESSED, 9)], 10, False),
        ([deed("wait", 2.1, holder="client"), event(PROCESSED, 9)], 10, True),
        ([event(CHECKED, 9)], 10, False),
        ([deed("wait", 1, holder="supplier"), event(PROCESSED, 9)], 10, True),
    ],
)
def test_what_is_open_past_its_deadline_is_breached(history: list[Any], end: float, breached: bool) -> None:
    chosen = timed(pauses_for=["client"], cancels=[{"event": CHECKED}])
    assert only(event(PLACED, 0), *history, rules=[chosen], end=end).breached(after(end)) is breached


# ── The calendar ──


def test_a_day_of_the_calendar_opens_only_the_rule_that_holds() -> None:
    fields = {"opens": [], "subject": "office", "every": {"period": "day"}, "by_hand": True, "closes": []}
    general, own = timed(**fields), timed(**fields, office_id=OFFICE)
    opening = CalendarOpening(general, OFFICE, ORDER, STAFF, START)
    found = only(opening, rules=[general])
    assert found == ReplayedObligation(general, OFFICE, ORDER, None, STAFF, START, after(2))
    assert replay(opening, rules=[general, own]) == []
    assert only(opening._replace(rule=own), rules=[general, own]).rule is own
    done = only(opening, deed("done", 1), rules=[general])
    assert (done.outcome, done.closed_at) == ("done", after(1))
    by_event = timed(subject="office", when=None)
    assert only(opening, rules=[general, by_event]).rule is general


# ── A draft ──


def test_a_draft_replaces_every_version_of_its_own_rule() -> None:
    first, second = timed(), timed(version=2, effective_from=after(5))
    own, other = timed(office_id=OFFICE), timed(code="ORD-05")
    draft = timed(version=3, effective_from=after(50), title="Черновик")
    rules_at = with_draft([first, second, own, other], draft)
    assert rules_at(START) == [own, other, draft]
    assert rules_at(after(60)) == [own, other, draft]
    withdrawn = timed(version=3, active=False)
    assert with_draft([first, other], withdrawn)(START) == [other]


def obligation(
    order: UUID = ORDER, *, opened: float = 0, due: float = 2, closed: float | None = None, **changes: Any
) -> ReplayedObligation:
    found = ReplayedObligation(timed(**changes), OFFICE, order, None, None, after(opened), after(due))
    if closed is not None:
        found.outcome, found.closed_at = "done", after(closed)
    return found


def test_differences_name_what_a_draft_changes() -> None:
    end = after(10)
    kept = obligation(closed=1)
    assert differences([kept], [obligation(closed=1)], end) == []
    assert differences([], [kept], end) == [Difference("added", None, kept)]
    assert differences([kept], [], end) == [Difference("dropped", kept, None)]
    late = obligation(due=0.5, closed=1)
    assert differences([kept], [late], end) == [Difference("breached_now", kept, late)]
    assert differences([late], [kept], end) == [Difference("kept_now", late, kept)]
    moved = obligation(due=3, closed=1)
    assert differences([kept], [moved], end) == [Difference("deadline_moved", kept, moved)]
    other_rule = obligation(closed=1, code="ORD-05")
    assert differences([kept], [other_rule], end) == [Difference("rule_changed", kept, other_rule)]
    own_rule = obligation(closed=1, office_id=OFFICE)
    assert differences([kept], [own_rule], end) == [Difference("rule_changed", kept, own_rule)]


def test_what_is_still_open_at_the_end_is_judged_then() -> None:
    early, late = obligation(due=2), obligation(due=12)
    assert [each.what for each in differences([early], [late], after(10))] == ["kept_now"]
    assert [each.what for each in differences([early], [late], after(1))] == ["deadline_moved"]


def test_differences_stand_in_the_order_of_opening() -> None:
    orders = [obligation(OTHER_ORDER, opened=1), obligation(ORDER, opened=1), obligation(OTHER_ORDER, opened=0)]
    found = differences(orders[:1], orders[1:], after(1))
    assert [(each.either.opened_at, each.either.subject_id) for each in found] == [
        (after(0), OTHER_ORDER),
        (after(1), ORDER),
        (after(1), OTHER_ORDER),
    ]
