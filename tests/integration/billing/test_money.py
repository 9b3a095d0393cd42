"""Payments, holds, refunds, sales: the balance after each, and nothing twice."""

import asyncio
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select, text

from services.billing.models.money import LedgerPosting, Receipt
from shared.base.clock import now
from shared.contracts.billing import BalanceChanged, InvoicePaid, OrderPaid, ReceiptRequested, RefundMade
from shared.contracts.orders import ClaimDecided, GoodsIssued, OrderPlaced, PositionRefused, PositionRemoved
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.billing.conftest import Till


def refused(order: OrderPlaced, index: int, *, final: bool = True) -> PositionRefused:
    line = order.positions[index]
    return PositionRefused(
        office_id=order.office_id,
        version=2,
        occurred_at=now(),
        order_id=order.order_id,
        order_number=order.number,
        position_id=line.position_id,
        client_id=order.client_id,
        supplier_id=new_id(),
        article=line.article,
        brand=line.brand,
        description=line.description,
        amount=line.amount,
        reason="нет на складе",
        final=final,
    )


def removed(order: OrderPlaced, index: int) -> PositionRemoved:
    line = order.positions[index]
    return PositionRemoved(
        office_id=order.office_id,
        version=2,
        occurred_at=now(),
        order_id=order.order_id,
        order_number=order.number,
        position_id=line.position_id,
        client_id=order.client_id,
        article=line.article,
        brand=line.brand,
        description=line.description,
        amount=line.amount,
        reason_code="unpaid",
        comment="Мы сняли позицию: Ваша предоплата не поступила.",
        automatic=False,
    )


def issued(order: OrderPlaced) -> GoodsIssued:
    return GoodsIssued(
        office_id=order.office_id,
        version=1,
        occurred_at=now(),
        shipment_id=new_id(),
        number=f"О-{new_id().hex[-6:]}",
        client_id=order.client_id,
        order_ids=[order.order_id],
        positions=order.positions,
        total=order.total,
        issued_by=new_id(),
        issued_at=now(),
    )


def decided(order: OrderPlaced, refund: str, decision: str = "accepted") -> ClaimDecided:
    line = order.positions[0]
    return ClaimDecided.model_validate(
        {
            "office_id": order.office_id,
            "version": 2,
            "occurred_at": now(),
            "claim_id": new_id(),
            "number": f"В-{new_id().hex[-6:]}",
            "order_id": order.order_id,
            "position_id": line.position_id,
            "client_id": order.client_id,
            "article": line.article,
            "brand": line.brand,
            "description": line.description,
            "quantity": 1,
            "decision": decision,
            "reason": "не подошла",
            "refund": refund,
            "decided_by": new_id(),
            "decided_at": now(),
        }
    )


@pytest.mark.clause("ORD-05")
async def test_an_order_is_announced_once_when_the_last_kopeck_is_there(till: Till) -> None:
    order = await till.placed("1000.00", "500.50")
    await till.pay("1500.49", order_id=order.order_id)
    assert await till.billing.published(OrderPaid, order_id=order.order_id) == []
    assert await till.balance() == ("1500.49", "1500.49", "0.00")
    await till.pay("0.01", order_id=order.order_id)
    await till.pay("700.00", order_id=order.order_id)
    [paid] = await till.billing.published(OrderPaid, order_id=order.order_id)
    assert paid.amount == Decimal("1500.50")
    assert paid.position_ids == [line.position_id for line in order.positions]
    assert await till.balance() == ("2200.50", "1500.50", "700.00"), "the excess stays on the balance"


async def test_a_payment_that_comes_before_its_order_is_held_when_the_order_comes(till: Till) -> None:
    await till.pay("1000.00")
    assert await till.balance() == ("1000.00", "0.00", "1000.00")
    order = await till.placed("900.00")
    assert len(await till.billing.published(OrderPaid, order_id=order.order_id)) == 1
    assert await till.balance() == ("1000.00", "900.00", "100.00")


async def test_the_named_order_is_paid_before_older_ones(till: Till) -> None:
    older = await till.placed("300.00")
    newer = await till.placed("400.00")
    await till.pay("500.00", order_id=newer.order_id)
    assert len(await till.billing.published(OrderPaid, order_id=newer.order_id)) == 1
    assert await till.billing.published(OrderPaid, order_id=older.order_id) == []
    assert await till.balance() == ("500.00", "500.00", "0.00"), "the rest is held for the older order"


@pytest.mark.clause("BILL-03")
async def test_a_final_refusal_returns_the_money_to_the_balance_once(till: Till) -> None:
    order = await till.placed("1000.00", "600.00")
    await till.pay("1600.00", order_id=order.order_id)
    event = refused(order, 1)
    event_id = await till.billing.deliver(event)
    await till.billing.deliver(event, event_id=event_id)
    assert await till.balance() == ("1600.00", "1000.00", "600.00")
    [refund] = await till.billing.published(RefundMade, client_id=till.client_id)
    assert (refund.reason, refund.amount) == ("refused", Decimal("600.00"))


async def test_a_refusal_that_is_not_final_moves_nothing(till: Till) -> None:
    order = await till.placed("1000.00")
    await till.pay("1000.00", order_id=order.order_id)
    await till.billing.deliver(refused(order, 0, final=False))
    assert await till.balance() == ("1000.00", "1000.00", "0.00")


async def test_removing_the_unpaid_position_makes_the_rest_a_paid_order(till: Till) -> None:
    order = await till.placed("1000.00", "600.00")
    await till.pay("1000.00", order_id=order.order_id)
    assert await till.billing.published(OrderPaid, order_id=order.order_id) == []
    await till.billing.deliver(removed(order, 1))
    [paid] = await till.billing.published(OrderPaid, order_id=order.order_id)
    assert paid.position_ids == [order.positions[0].position_id]
    assert await till.billing.published(RefundMade, client_id=till.client_id) == []


async def test_what_a_removed_position_had_pays_the_rest_of_its_order(till: Till) -> None:
    order = await till.placed("100.00", "100.00")
    await till.pay("100.00", order_id=order.order_id)
    await till.billing.deliver(removed(order, 0))
    [paid] = await till.billing.published(OrderPaid, order_id=order.order_id)
    assert paid.position_ids == [order.positions[1].position_id]
    assert await till.balance() == ("100.00", "100.00", "0.00")


async def test_a_removal_heard_before_the_order_still_counts(till: Till) -> None:
    order = till.order("1000.00", "600.00")
    await till.billing.deliver(removed(order, 0))
    await till.pay("600.00")
    await till.billing.deliver(order)
    [paid] = await till.billing.published(OrderPaid, order_id=order.order_id)
    assert paid.amount == Decimal("600.00")


@pytest.mark.clause("ORD-10")
async def test_issued_goods_are_sold_from_their_hold_and_the_waybill_is_there(till: Till) -> None:
    order = await till.placed("1000.00", "600.00")
    await till.pay("1700.00", order_id=order.order_id)
    shipment = issued(order)
    await till.billing.deliver(shipment)
    assert await till.balance() == ("100.00", "0.00", "100.00")
    async with till.client() as http:
        [waybill] = (await http.get("/documents", params={"shipment_id": str(shipment.shipment_id)})).json()["items"]
        assert waybill["kind_label"] == "Расходная накладная"
        pdf = await http.get(f"/documents/{waybill['id']}/file")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


async def test_goods_issued_on_credit_are_the_clients_debt(till: Till) -> None:
    order = await till.placed("1000.00")
    await till.billing.deliver(issued(order))
    assert await till.balance() == ("-1000.00", "0.00", "-1000.00")
    await till.pay("1200.00")
    assert await till.balance() == ("200.00", "0.00", "200.00")


async def test_a_part_of_a_split_position_is_counted_against_its_origin(till: Till) -> None:
    order = await till.placed("900.00")
    await till.pay("900.00", order_id=order.order_id)
    part = refused(order, 0).model_copy(
        update={
            "position_id": new_id(),
            "amount": Decimal("300.00"),
            "origin_position_id": order.positions[0].position_id,
        }
    )
    await till.billing.deliver(part)
    assert await till.balance() == ("900.00", "600.00", "300.00")


@pytest.mark.parametrize(
    ("decision", "refund", "balance"), [("accepted", "1500.00", "1500.00"), ("kept", "375.00", "375.00")]
)
async def test_a_decided_claim_credits_the_balance_and_prints_the_application(
    till: Till, decision: str, refund: str, balance: str
) -> None:
    order = await till.placed("1500.00")
    await till.pay("1500.00", order_id=order.order_id)
    await till.billing.deliver(issued(order))
    claim = decided(order, refund, decision)
    event_id = await till.billing.deliver(claim)
    await till.billing.deliver(claim, event_id=event_id)
    assert await till.balance() == (balance, "0.00", balance)
    async with till.manager() as http:
        [paper] = (await http.get("/documents", params={"claim_id": str(claim.claim_id)})).json()["items"]
        assert (await http.get(f"/documents/{paper['id']}/file")).content.startswith(b"%PDF")
    assert paper["kind"] == "refund_application"


async def test_a_rejected_claim_moves_nothing(till: Till) -> None:
    order = await till.placed("1500.00")
    await till.billing.deliver(decided(order, "0.00", "rejected"))
    assert await till.balance() == ("0.00", "0.00", "0.00")


@pytest.mark.clause("BILL-03")
async def test_a_signed_notice_is_booked_once_however_often_it_comes(till: Till) -> None:
    order = await till.placed("1000.00")
    body: dict[str, Any] = {
        "event_id": f"evt-{new_id()}",
        "client_id": str(till.client_id),
        "order_id": str(order.order_id),
    }
    answers = [await till.notify(**body, amount="1000.00") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await till.balance() == ("1000.00", "1000.00", "0.00")
    other = await till.notify(**body, amount="999.00")
    assert other.status_code == 409
    assert other.json()["type"].endswith("payment-repeated")


async def test_twin_notices_at_the_same_moment_are_booked_once(till: Till) -> None:
    body: dict[str, Any] = {"event_id": f"evt-{new_id()}", "client_id": str(till.client_id), "amount": "10.00"}
    answers = await asyncio.gather(*(till.notify(**body) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await till.balance() == ("10.00", "0.00", "10.00")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"signature": "0" * 64},
        {"signature": "x"},
        {"timestamp": int(time.time()) - 400},
        {"timestamp": int(time.time()) + 4000},
    ],
)
async def test_an_unsigned_or_stale_notice_is_refused(till: Till, spoilt: dict[str, Any]) -> None:
    body: dict[str, Any] = {"event_id": f"evt-{new_id()}", "client_id": str(till.client_id), "amount": "10.00"}
    answer = await till.notify(**body, **spoilt)
    assert answer.status_code == 401
    assert await till.balance() == ("0.00", "0.00", "0.00")


async def test_a_notice_for_another_offices_client_is_refused(till: Till) -> None:
    answer = await till.notify(
        event_id=f"evt-{new_id()}", client_id=str(till.client_id), amount="10.00", office_id=str(new_id())
    )
    assert answer.status_code == 404


@pytest.mark.clause("BILL-03")
async def test_only_free_money_is_paid_out(till: Till) -> None:
    order = await till.placed("600.00")
    await till.pay("1000.00", order_id=order.order_id)
    body = {"client_id": str(till.client_id), "method": "card", "reason": "по заявлению клиента"}
    async with till.manager() as http:
        too_much = await http.post("/payouts", json=body | {"amount": "400.01"})
        assert too_much.status_code == 409
        assert too_much.json()["available"] == "400.00"
        assert (await http.post("/payouts", json=body | {"amount": "400.00"})).status_code == 201
    assert await till.balance() == ("600.00", "600.00", "0.00")


@pytest.mark.clause("BILL-07")
async def test_the_till_is_asked_for_receipts_and_tells_their_numbers(till: Till) -> None:
    await till.pay("100.00")
    [asked] = await till.billing.published(ReceiptRequested, client_id=till.client_id)
    assert (asked.operation, asked.amount) == ("sale", Decimal("100.00"))
    async with till.manager() as http:
        path = f"/receipts/{asked.receipt_id}"
        assert (await http.post(path, json={"fiscal_number": "12345"})).json()["fiscal_number"] == "12345"
        assert (await http.post(path, json={"fiscal_number": "99999"})).status_code == 409
    async with till.billing.session() as session:
        assert await session.scalar(select(Receipt.fiscal_number).where(Receipt.id == asked.receipt_id)) == "12345"


@pytest.mark.clause("BILL-04")
async def test_balance_events_carry_growing_versions(till: Till) -> None:
    for _ in range(3):
        await till.pay("10.00")
    events = await till.billing.published(BalanceChanged, client_id=till.client_id)
    assert [event.version for event in events] == [1, 2, 3]
    assert events[-1].available == Decimal("30.00")


async def test_payments_at_the_same_moment_lose_nothing(till: Till) -> None:
    order = await till.placed("100.00")
    await asyncio.gather(*(till.pay("10.00", order_id=order.order_id) for _ in range(10)))
    assert await till.balance() == ("100.00", "100.00", "0.00")
    assert len(await till.billing.published(OrderPaid, order_id=order.order_id)) == 1


async def test_payments_of_one_invoice_at_the_same_moment_are_all_taken(till: Till, payer: dict[str, Any]) -> None:
    """Each reads the invoice before it waits for the others."""
    order = await till.placed("100.00")
    async with till.manager() as http:
        await http.post("/payers", json=payer)
        bill = (
            await http.post("/invoices", json={"client_id": str(till.client_id), "order_id": str(order.order_id)})
        ).json()
    await asyncio.gather(*(till.pay("10.00", invoice_id=UUID(bill["id"])) for _ in range(10)))
    async with till.manager() as http:
        assert (await http.get(f"/invoices/{bill['id']}")).json()["paid"] == "100.00"
    assert len(await till.billing.published(InvoicePaid, invoice_id=UUID(bill["id"]))) == 1


async def test_what_is_covered_is_announced_when_the_rest_is_issued_on_credit(till: Till) -> None:
    order = await till.placed("1000.00", "600.00")
    await till.pay("1000.00", order_id=order.order_id)
    assert not await till.billing.published(OrderPaid, order_id=order.order_id)
    await till.billing.deliver(issued(order.model_copy(update={"positions": order.positions[1:]})))
    [paid] = await till.billing.published(OrderPaid, order_id=order.order_id)
    assert paid.position_ids == [order.positions[0].position_id]
    await till.pay("600.00")
    assert await till.balance() == ("1000.00", "1000.00", "0.00")
    assert len(await till.billing.published(OrderPaid, order_id=order.order_id)) == 1


async def test_the_database_refuses_an_entry_that_does_not_balance(till: Till) -> None:
    await till.pay("10.00")
    connection = await asyncpg.connect(till.billing.urls.worker, server_settings={"app.scope": "network"})
    entry = await connection.fetchval("SELECT entry_id FROM ledger_postings WHERE client_id = $1", till.client_id)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "INSERT INTO ledger_postings (id, entry_id, account, amount, office_id, client_id)"
            " VALUES ($1, $2, 'cash', 5, $3, $4)",
            new_id(),
            entry,
            till.office_id,
            till.client_id,
        )
    for statement in ("UPDATE ledger_postings SET amount = 0", "DELETE FROM ledger_entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_the_accounts_are_the_sum_of_the_ledger(till: Till) -> None:
    """Over everything that the other tests have done."""
    order = await till.placed("1000.00", "600.00")
    await till.pay("1800.00", order_id=order.order_id)
    await till.billing.deliver(refused(order, 1))
    await till.billing.deliver(issued(order.model_copy(update={"positions": order.positions[:1]})))
    async with till.billing.session() as session:
        assert await session.scalar(select(func.sum(LedgerPosting.amount))) == 0
        wrong = await session.execute(
            text(
                "SELECT a.client_id FROM accounts a JOIN (SELECT client_id,"
                " -coalesce(sum(amount) FILTER (WHERE account IN ('client_available', 'client_held')), 0) AS balance,"
                " -coalesce(sum(amount) FILTER (WHERE account = 'client_held'), 0) AS held"
                " FROM ledger_postings GROUP BY client_id) l ON l.client_id = a.client_id"
                " WHERE a.balance <> l.balance OR a.held <> l.held"
            )
        )
        assert wrong.all() == []
        holds = await session.execute(
            text(
                "SELECT a.client_id FROM accounts a WHERE a.held <>"
                " (SELECT coalesce(sum(held), 0) FROM positions p WHERE p.client_id = a.client_id)"
            )
        )
        assert holds.all() == []


async def test_strangers_see_no_money(till: Till) -> None:
    await till.pay("100.00")
    other = Till(till.billing)
    await other.open()
    async with other.manager() as stranger, till.client(new_id()) as client:
        for http in (stranger, client):
            assert (await http.get(f"/balances/{till.client_id}")).status_code == 404
            for path in ("/ledger", "/payments", "/documents", "/receipts", "/payers", "/invoices"):
                answer = await http.get(path, params={"client_id": str(till.client_id)})
                assert answer.json()["items"] == [], path
    async with till.billing.http(Role.HEAD_OFFICE) as head:
        assert (await head.get(f"/balances/{till.client_id}")).json()["balance"] == "100.00"
