"""The day came to its end although a service was killed: nothing was lost, nothing happened twice."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
import zxingcpp

from devtools.demo.waiting import until
from services.serving import load
from shared.base.settings import SERVICES
from tests.system.run_day import KILLED_SERVICE, CompletedDay

pytestmark = pytest.mark.timeout(300)


def test_the_day_goes_on_to_its_end(completed_day: CompletedDay) -> None:
    assert completed_day.unacknowledged > 0
    assert completed_day.unpublished > 0
    assert len(completed_day.day.documents) >= 6


@pytest.mark.parametrize("consumer", SERVICES)
def test_no_event_is_lost(completed_day: CompletedDay, consumer: str) -> None:
    """Each consumer applied exactly what the producers committed."""
    types = set(load(consumer).consumers.handlers)
    committed = {
        row["event_id"]
        for producer in {event_type.partition(".")[0] for event_type in types}
        for row in completed_day.world.rows(producer, "SELECT event_id FROM outbox WHERE type = ANY($1)", sorted(types))
    }

    def applied() -> set[Any]:
        return {row["event_id"] for row in completed_day.world.rows(consumer, "SELECT event_id FROM inbox")}

    assert committed
    until(f"{consumer}: все события применены", lambda: applied() >= committed)
    assert applied() == committed


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_waits_and_nothing_is_parked(completed_day: CompletedDay, service: str) -> None:
    waiting = "SELECT event_id, state, error FROM failed_message WHERE state <> 'resolved'"
    until(f"{service}: ничего не повторяется", lambda: not completed_day.world.rows(service, waiting))
    unpublished = "SELECT type FROM outbox WHERE confirmed_at IS NULL"
    until(f"{service}: всё отправлено", lambda: not completed_day.world.rows(service, unpublished))


def test_every_thing_happened_once(completed_day: CompletedDay) -> None:
    """Orders, money and documents of the day, counted."""

    def count(service: str, table: str) -> int:
        return int(completed_day.world.rows(service, f"SELECT count(*) FROM {table}")[0]["count"])

    assert count("orders", "customer_order") == 4
    assert count("orders", "purchase_order") == 4
    assert count("orders", "shipment") == 1
    assert count("orders", "claim") == 1
    assert count("billing", "invoices") == 2
    assert count("billing", "payments") == 4
    types = "SELECT type, count(*) FROM outbox GROUP BY type"
    published = {row["type"]: row["count"] for row in completed_day.world.rows(KILLED_SERVICE, types)}
    assert published["orders.order.placed.v1"] == 4
    assert published["orders.applicability.checked.v1"] == 1
    assert published["orders.goods.issued.v1"] == 1
    paid = completed_day.world.rows("billing", "SELECT count(*) FROM outbox WHERE type = 'billing.order.paid.v1'")
    assert paid[0]["count"] == 2


def test_the_ledger_balances(completed_day: CompletedDay) -> None:
    """5990 + 300 + 150 came in, 6020 was sold, 1500 returned."""
    [entry] = completed_day.world.rows(
        "billing", "SELECT count(*), coalesce(sum(amount), 0) AS sum FROM ledger_postings"
    )
    assert entry["count"] > 0
    assert entry["sum"] == 0
    unbalanced = "SELECT entry_id FROM ledger_postings GROUP BY entry_id HAVING sum(amount) <> 0"
    assert completed_day.world.rows("billing", unbalanced) == []
    found = completed_day.day.manager.get(f"billing/balances/{completed_day.day.client.id}")
    assert Decimal(found["balance"]) == Decimal("5990") + 300 + 150 - 6020 + 1500
    assert Decimal(found["held"]) == 0


def test_every_letter_arrived_once(completed_day: CompletedDay) -> None:
    """Each letter that was queued is in the mailbox exactly once."""
    queued = "SELECT state FROM notices WHERE channel = 'email' AND state IN ('queued', 'sending')"
    until("все письма отправлены", lambda: not completed_day.world.rows("notifier", queued))
    every = "SELECT id, recipient, title, state FROM notices WHERE channel = 'email'"
    before = completed_day.world.rows("notifier", every)
    letters = completed_day.day.post.letters()
    # The clocks go on meanwhile: what was sent before is there, and nothing is there that was not sent.
    after = {row["id"]: row["state"] for row in completed_day.world.rows("notifier", every)}
    assert set(after.values()) <= {"sent", "sending", "queued"}
    arrived = {UUID(letter["message_id"].strip("<>").partition("@")[0]): letter for letter in letters}
    assert len(arrived) == len(letters)
    assert {after[letter] for letter in arrived} <= {"sent", "sending"}
    sent = {row["id"]: (row["recipient"], row["title"]) for row in before if row["state"] == "sent"}
    assert len(sent) >= 10
    assert {letter: (arrived[letter]["to"][0], arrived[letter]["subject"]) for letter in sent} == sent


@pytest.mark.clause("BILL-01")
def test_the_invoice_can_be_paid_from_its_page(completed_day: CompletedDay) -> None:
    """BILL-01: what the payment QR says is what the page says, and what the office's requisites are."""
    page = pypdfium2.PdfDocument(completed_day.day.output / "schet.pdf")[0]
    text = " ".join(page.get_textpage().get_text_range().split())
    codes = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    assert len(codes) == 1
    header, *pairs = codes[0].text.split("|")
    assert header == "ST00012"
    fields = dict(pair.split("=", 1) for pair in pairs if pair)
    account = completed_day.day.mira.card["bank_accounts"][0]
    assert fields["BIC"] == account["bic"]
    assert fields["PersonalAcc"] == account["account"]
    assert fields["CorrespAcc"] == account["correspondent_account"]
    assert fields["PayeeINN"] == completed_day.day.mira.card["requisites"]["inn"]
    assert fields["Sum"] == "499000"
    assert completed_day.day.invoice["number"] in fields["Purpose"]
    for words in (account["bic"], account["account"], completed_day.day.invoice["number"], "4 990,00"):
        assert words in text.replace("\xa0", " ")
    assert "Четыре тысячи девятьсот девяносто рублей 00 копеек" in text
    assert "ООО «Вектор»" in text
