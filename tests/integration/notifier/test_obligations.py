"""Clocks of the day: what opens, what closes, whatever the order of events."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select, update

from services.notifier.clock.models.obligations import ObligationHistory
from services.notifier.people.models.projections import StaffMember
from shared.base.clock import now
from shared.contracts import billing, clients, orders, vin
from shared.contracts.notifier import ObligationBreached, ObligationOpened
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.support.notifier import calendar, minutes


@pytest.mark.clause("CALL-01")
async def test_a_registration_opens_the_first_call_in_twenty_minutes(world: World) -> None:
    await world.with_people()
    await world.register()
    obligation = await world.obligation(world.client_id, "CALL-01")
    assert obligation.due_at - obligation.opened_at == minutes(20)
    assert obligation.responsible_staff_id == world.staff["ivanov"]
    (event,) = await world.notifier.published(ObligationOpened, subject_id=world.client_id)
    assert (event.rule_code, event.generation, event.due_at) == ("CALL-01", 1, obligation.due_at)


async def test_a_client_registered_in_the_office_needs_no_first_call(world: World) -> None:
    await world.with_people()
    await world.register(kind="offline_retail")
    assert await world.obligations() == []


@pytest.mark.clause("K5")
async def test_working_minutes_skip_the_night_and_lunch(world: World) -> None:
    hours = ((("09:00", "13:00"), ("14:00", "18:00")),) * 5 + ((), ())
    await world.open_office(calendar=calendar(weekly=hours))
    # Monday 12:50 in Yekaterinburg (UTC+5): 10 minutes before lunch, 10 after it.
    monday = datetime(2026, 11, 23, 7, 50, tzinfo=UTC)
    await world.register(at=monday)
    obligation = await world.obligation(world.client_id, "CALL-01")
    assert obligation.due_at == datetime(2026, 11, 23, 9, 10, tzinfo=UTC)


@pytest.mark.clause("CALL-01")
async def test_the_first_call_closes_the_clock_and_says_it_was_in_time(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.call("first_call", first_attempt=True, rating=5)
    obligation = await world.obligation(world.client_id, "CALL-01")
    assert obligation.state == "done"
    (event,) = await world.closed(world.client_id, "CALL-01")
    assert (event.outcome, event.breached) == ("done", False)


async def test_a_call_logged_before_the_registration_arrives_closes_it_at_once(world: World) -> None:
    await world.with_people()
    call = world.called("first_call", at=now() + minutes(5))
    await world.notifier.deliver(call)
    await world.register(at=now())
    obligation = await world.obligation(world.client_id, "CALL-01")
    assert obligation.state == "done"
    assert obligation.closed_at == call.called_at


@pytest.mark.clause("CALL-02")
async def test_a_client_who_did_not_answer_is_called_again(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.call("first_call", outcome="no_answer", first_attempt=True)
    assert (await world.obligation(world.client_id, "CALL-01")).state == "done"
    await world.call("first_call", outcome="cannot_talk")
    states = [obligation.state for obligation in await world.obligations(clause="CALL-02")]
    assert states == ["done", "open"]
    await world.call("first_call", outcome="reached", rating=3)
    assert [obligation.state for obligation in await world.obligations(clause="CALL-02")] == ["done", "done"]


@pytest.mark.clause("CALL-03")
async def test_a_good_rating_without_an_order_asks_for_a_second_call(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.call("first_call", rating=4)
    obligation = await world.obligation(world.client_id, "CALL-03")
    assert obligation.due_at - obligation.opened_at == timedelta(days=2)
    await world.place()
    assert (await world.obligation(world.client_id, "CALL-03")).state == "cancelled"


@pytest.mark.clause("CALL-03")
@pytest.mark.parametrize(("rating", "ordered"), [(3, False), (5, True), (None, False)])
async def test_no_second_call_without_a_good_rating_or_after_an_order(
    world: World, rating: int | None, ordered: bool
) -> None:
    await world.with_people()
    await world.register()
    if ordered:
        await world.place()
    await world.call("first_call", rating=rating)
    assert await world.obligations(clause="CALL-03") == []


@pytest.mark.clause("CALL-03")
async def test_a_later_call_without_a_rating_does_not_cancel_the_second_call(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.call("first_call", rating=5)
    await world.call("other")
    assert (await world.obligation(world.client_id, "CALL-03")).state == "open"


@pytest.mark.clause("CALL-06", "K1", "ORD-04")
async def test_an_unpaid_order_starts_its_clocks(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place(check_requested=True)
    spans = {
        obligation.rule_code: obligation.due_at - obligation.opened_at for obligation in await world.obligations(order)
    }
    assert spans == {
        "CALL-06": minutes(60),
        "ORD-04": minutes(40),
        "ORD-06-UNPAID": minutes(120),
        "ORD-07": timedelta(days=3),
    }


@pytest.mark.clause("CALL-06", "K2")
async def test_one_call_closes_two_obligations(world: World) -> None:
    """K2."""
    await world.with_people()
    await world.register()
    order = await world.place()
    await world.call("order_contact", "order_offer", order_id=order)
    assert {obligation.clause: obligation.state for obligation in await world.obligations(order)} == {
        "CALL-06": "done",
        "ORD-04": "done",
        "ORD-07": "open",
    }


@pytest.mark.clause("ORD-04")
async def test_a_call_that_names_no_order_counts_for_all_of_the_client(world: World) -> None:
    await world.with_people()
    await world.register()
    first, second = await world.place(), await world.place()
    await world.call("order_contact")
    assert [(await world.obligation(order, "ORD-04")).state for order in (first, second)] == ["done", "done"]


async def test_a_call_about_one_order_leaves_the_other_clock_running(world: World) -> None:
    await world.with_people()
    await world.register()
    first, second = await world.place(), await world.place()
    await world.call("order_contact", order_id=first)
    assert (await world.obligation(second, "ORD-04")).state == "open"


@pytest.mark.clause("ORD-04")
async def test_an_unanswered_call_does_not_count_as_contact(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place()
    await world.call("order_contact", order_id=order, outcome="no_answer")
    assert (await world.obligation(order, "ORD-04")).state == "open"


async def test_an_old_call_to_the_client_does_not_count_for_a_newer_order(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place()
    await world.call("order_contact", at=now() - minutes(30))
    assert (await world.obligation(order, "ORD-04")).state == "open"


@pytest.mark.clause("K1", "K18", "ORD-05", "ORD-06")
async def test_payment_supersedes_the_check_by_a_shorter_clock_from_the_same_opening(world: World) -> None:
    """K1, K18: the check of a paid order has 30 minutes; the 20 minutes start when the check ends."""
    await world.with_people()
    await world.register()
    order = await world.place(check_requested=True)
    before = await world.obligation(order, "ORD-06")
    await world.notifier.deliver(world.order_paid(order))
    after = await world.obligation(order, "ORD-06")
    assert (after.id, after.generation, after.rule_code) == (before.id, 2, "ORD-06-PAID")
    assert after.opened_at == before.opened_at
    assert after.due_at - after.opened_at == minutes(30)
    assert await world.obligations(order, clause="ORD-05") == []
    assert (await world.obligation(order, "ORD-04")).state == "cancelled"

    check = world.checked(order)
    await world.notifier.deliver(check)
    assert (await world.obligation(order, "ORD-06")).state == "done"
    processing = await world.obligation(order, "ORD-05")
    assert processing.opened_at == check.occurred_at
    assert processing.due_at - processing.opened_at == minutes(20)
    await world.notifier.deliver(world.processed(order))
    assert {obligation.state for obligation in await world.obligations(order, clause="ORD-05")} == {"done"}
    assert (await world.obligation(order, "ORD-07")).state == "done"


async def test_superseding_is_published_as_closed_and_opened_again(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place(check_requested=True)
    await world.notifier.deliver(world.order_paid(order))
    (closed,) = await world.closed(order, "ORD-06")
    first, second = await world.notifier.published(ObligationOpened, subject_id=order, clause="ORD-06")
    assert (closed.outcome, closed.generation) == ("superseded", 1)
    assert (first.generation, second.generation) == (1, 2)
    assert first.version < closed.version < second.version


@pytest.mark.clause("K18")
@pytest.mark.parametrize("sequence", list(permutations(range(4))))
async def test_any_order_of_the_events_of_an_order_comes_to_the_same_end(
    world: World, sequence: tuple[int, ...]
) -> None:
    await world.with_people()
    await world.register()
    order, start = new_id(), now() - minutes(5)
    events: list[Any] = [
        world.placed(order, at=start, check_requested=True),
        world.order_paid(order, at=start + minutes(1)),
        world.checked(order, at=start + minutes(2)),
        world.processed(order, at=start + minutes(3)),
    ]
    for index in sequence:
        await world.notifier.deliver(events[index])
    obligations = {obligation.clause: obligation for obligation in await world.obligations(order)}
    assert {
        clause: obligation.state
        for clause, obligation in obligations.items()
        if clause in ("ORD-05", "ORD-06", "ORD-07")
    } == {
        "ORD-05": "done",
        "ORD-06": "done",
        "ORD-07": "done",
    }
    assert obligations["ORD-05"].opened_at == start + minutes(2)
    assert obligations["ORD-05"].closed_at == start + minutes(3)
    assert all(obligation.state != "open" for obligation in obligations.values() if obligation.clause != "CALL-06")


async def test_a_redelivered_event_opens_nothing_twice(world: World) -> None:
    await world.with_people()
    await world.register()
    event = world.placed(new_id())
    await world.notifier.deliver(event)
    await world.notifier.deliver(event)  # Another message with the same facts.
    assert len(await world.obligations(event.order_id, clause="ORD-07")) == 1


@pytest.mark.clause("VIN-05")
async def test_a_vin_request_has_two_hours(world: World) -> None:
    await world.with_people()
    await world.register()
    request = world.vin_request(new_id())
    await world.notifier.deliver(request)
    obligation = await world.obligation(request.request_id, "VIN-05")
    assert obligation.due_at - obligation.opened_at == minutes(120)
    assert obligation.subject_label == "VIN-000012"
    answer = vin.VinRequestAnswered(
        **world.event(),
        request_id=request.request_id,
        number=request.number,
        client_id=world.client_id,
        vehicle=request.vehicle,
        lines=[],
        answered_by=world.staff["ivanov"],
        notify_client=False,
        answered_at=now(),
    )
    await world.notifier.deliver(answer)
    assert (await world.obligation(request.request_id, "VIN-05")).state == "done"


@pytest.mark.clause("BILL-06")
async def test_an_invoice_is_checked_after_two_working_days(world: World) -> None:
    await world.with_people()
    await world.register()
    invoice = new_id()
    body = {"invoice_id": invoice, "number": "15", "client_id": world.client_id, "amount": "100.00"}
    await world.notifier.deliver(billing.InvoiceIssued.model_validate({**world.event(), **body, "issued_at": now()}))
    obligation = await world.obligation(invoice, "BILL-06")
    assert obligation.due_at - obligation.opened_at == timedelta(days=2)
    await world.notifier.deliver(billing.InvoicePaid.model_validate({**world.event(), **body}))
    assert (await world.obligation(invoice, "BILL-06")).state == "done"


@pytest.mark.clause("CALL-12", "INQ-06")
async def test_an_unanswered_mail_has_two_hours_and_an_open_inquiry_a_task(world: World) -> None:
    await world.with_people()
    inquiry = new_id()
    body = {"inquiry_id": inquiry, "staff_id": world.staff["ivanov"], "status": "open"}
    recorded = {**world.event(), **body, "channel": "email", "recorded_at": now()}
    await world.notifier.deliver(orders.InquiryRecorded.model_validate(recorded))
    assert {obligation.clause for obligation in await world.obligations(inquiry, state="open")} == {"CALL-12", "INQ-06"}
    changed = {**world.event(version=2), **body}
    await world.notifier.deliver(orders.InquiryStatusChanged.model_validate(changed))
    assert {obligation.clause for obligation in await world.obligations(inquiry, state="open")} == {"INQ-06"}
    lost = {**world.event(version=3), **body, "status": "lost", "lost_reason": "price"}
    await world.notifier.deliver(orders.InquiryStatusChanged.model_validate(lost))
    assert await world.obligations(inquiry, state="open") == []


@pytest.mark.clause("K5", "RET-08")
async def test_a_dispute_has_48_calendar_hours(world: World) -> None:
    hours = ((("09:00", "18:00"),),) * 5 + ((), ())
    await world.open_office(calendar=calendar(weekly=hours))
    await world.register()
    claim = {
        "claim_id": new_id(),
        "number": "Р-1",
        "order_id": new_id(),
        "position_id": new_id(),
        "client_id": world.client_id,
        "article": "1",
        "brand": "A",
        "description": "B",
    }
    opened = {**world.event(), **claim, "kind": "body", "amount": "1500.00", "reason": "брак", "opened_at": now()}
    await world.notifier.deliver(orders.ClaimOpened.model_validate(opened))
    obligation = await world.obligation(claim["claim_id"], "RET-08")  # type: ignore[arg-type]
    assert obligation.due_at - obligation.opened_at == timedelta(hours=48)


@pytest.mark.clause("CL-06")
async def test_the_date_in_the_letter_is_the_deadline_of_the_contacts(world: World) -> None:
    """CL-06."""
    await world.with_people()
    await world.register()
    disable_at = now() + timedelta(days=5)
    asked = clients.ContactsRequested(
        **world.event(),
        client_id=world.client_id,
        full_name="Петрова",
        email=world.mail_of("client"),
        disable_at=disable_at,
    )
    await world.notifier.deliver(asked)
    obligation = await world.obligation(world.client_id, "CL-06")
    assert obligation.due_at == disable_at
    await world.notifier.deliver(clients.ContactsCorrected(**world.event(), client_id=world.client_id))
    assert (await world.obligation(world.client_id, "CL-06")).state == "done"


async def test_a_disabled_client_has_no_calls_due(world: World) -> None:
    await world.with_people()
    await world.register()
    await world.change_client(2, active=False)
    assert (await world.obligation(world.client_id, "CALL-01")).state == "cancelled"


async def test_a_new_telephone_number_leaves_a_seniors_assignment_alone(world: World) -> None:
    await world.with_people()
    petrov = await world.hire("petrov", "manager")
    await world.register()
    obligation = await world.obligation(await world.place(), "ORD-04")
    async with world.staff_http(Role.SENIOR_MANAGER, "senior") as http:
        body = {"staff_id": str(petrov), "reason": "Иванов в отпуске"}
        assert (await http.post(f"/obligations/{obligation.id}/assignment", json=body)).status_code == 200
    await world.change_client(2, phone="+79126014599")
    (after,) = await world.obligations(id=obligation.id)
    assert after.responsible_staff_id == petrov


@pytest.mark.clause("CL-10")
async def test_open_obligations_follow_the_clients_manager(world: World) -> None:
    await world.with_people()
    await world.register()
    other = await world.hire("petrov", "manager")
    await world.change_client(2, manager_id=other)
    obligation = await world.obligation(world.client_id, "CALL-01")
    assert obligation.responsible_staff_id == other
    async with world.notifier.session() as session:
        query = select(ObligationHistory.event).where(ObligationHistory.obligation_id == obligation.id)
        assert (await session.execute(query.order_by(ObligationHistory.id))).scalars().all() == ["opened", "reassigned"]


async def test_closing_after_the_deadline_is_a_breach_even_if_received_late(world: World) -> None:
    await world.with_people()
    start = now() - minutes(25)
    call = world.called("first_call", at=start + minutes(22))
    await world.notifier.deliver(call)
    await world.register(at=start)
    (breach,) = await world.notifier.published(ObligationBreached, subject_id=world.client_id)
    (closed,) = await world.closed(world.client_id, "CALL-01")
    assert closed.breached
    assert breach.breached_at == start + minutes(20)


async def test_an_event_of_an_unknown_office_is_retried_until_the_office_is_known(world: World) -> None:
    with pytest.raises(AssertionError, match="DependencyNotReady"):
        await world.register()
    await world.open_office()
    for _ in range(100):
        if await world.obligations(clause="CALL-01"):
            break
        await asyncio.sleep(0.1)
    assert len(await world.obligations(clause="CALL-01")) == 1


async def test_history_is_complete(world: World) -> None:
    await world.with_people()
    await world.register()
    order = await world.place(check_requested=True)
    await world.notifier.deliver(world.order_paid(order))
    await world.notifier.deliver(world.checked(order))
    obligation = await world.obligation(order, "ORD-06")
    async with world.notifier.session() as session:
        query = select(ObligationHistory).where(ObligationHistory.obligation_id == obligation.id)
        rows = (await session.execute(query.order_by(ObligationHistory.id))).scalars().all()
    assert [(row.event, row.generation) for row in rows] == [
        ("opened", 1),
        ("superseded", 1),
        ("opened", 2),
        ("done", 2),
    ]


@pytest.mark.clause("K15")
async def test_what_is_paid_is_never_removed_by_the_clock(world: World) -> None:
    """K15: orders may receive the payment later than the clock, and would act on the request."""
    await world.with_people()
    await world.register()
    order = await world.place()
    unpaid = await world.obligation(order, "ORD-07")
    assert [step["action"] for step in unpaid.schedule if step["kind"] == "limit"] == ["remove_order"]
    await world.notifier.deliver(world.order_paid(order))
    paid = await world.obligation(order, "ORD-07")
    assert (paid.rule_code, paid.due_at) == ("ORD-07-PAID", unpaid.due_at)
    assert [step for step in paid.schedule if step["kind"] == "limit"] == []


@pytest.mark.clause("CALL-06")
async def test_a_call_to_one_client_says_nothing_of_anothers_order(world: World) -> None:
    await world.with_people()
    await world.register()
    order, owner = await world.place(), world.client_id
    world.client_id = new_id()
    await world.register()
    await world.call("order_contact", "order_offer", order_id=order)
    assert {obligation.clause: obligation.state for obligation in await world.obligations(order)} == {
        "CALL-06": "open",
        "ORD-04": "open",
        "ORD-07": "open",
    }
    world.client_id = owner
    await world.call("order_contact", "order_offer", order_id=order)
    assert (await world.obligation(order, "ORD-04")).state == "done"


async def test_obligations_do_not_fall_to_a_person_who_has_left(world: World) -> None:
    """CL-10: the card still names the manager; all managers of the office are notified, and none gets points."""
    await world.with_people()
    await world.register()
    assert (await world.obligation(await world.place(), "ORD-04")).responsible_staff_id == world.staff["ivanov"]
    async with world.notifier.session() as session:
        gone = update(StaffMember).where(StaffMember.staff_id == world.staff["ivanov"]).values(active=False)
        await session.execute(gone)
    assert (await world.obligation(await world.place(), "ORD-04")).responsible_staff_id is None
