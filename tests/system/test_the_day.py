"""The day of the demonstration with one process per service, one of which dies in the middle of it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pypdfium2
import pytest
import zxingcpp
from rich.console import Console

from reglament_cli.demo.day import Day
from reglament_cli.demo.main import STEPS, new_day, surroundings_of
from reglament_cli.demo.steps import check_and_payment
from reglament_cli.demo.waiting import until
from services.serving import load
from shared.settings import SERVICES
from shared.testing.infrastructure import Infrastructure
from tests.system.stall import stalled
from tests.system.world import World, running_world

pytestmark = pytest.mark.timeout(300)

VICTIM = "orders"


@dataclass(frozen=True, slots=True)
class Played:
    """A day that came to its end."""

    world: World
    day: Day
    transcript: str
    unacknowledged: int
    """Messages that the killed process held."""
    unpublished: int
    """Rows in its outbox that the broker had not confirmed."""


@pytest.fixture(scope="module")
def played(infrastructure: Infrastructure) -> Iterator[Played]:
    directory = Path(tempfile.mkdtemp(prefix="reglament-day-"))
    try:
        with running_world(infrastructure, directory / "data") as world:
            yield play(world, directory / "documents")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def play(world: World, output: Path) -> Played:
    written = StringIO()
    day = new_day(surroundings_of(world.system.state), output, Console(file=written, width=160))
    lost: dict[str, int] = {}
    for step in STEPS:
        if step is check_and_payment:
            lost = pay_while_the_service_dies(world, day)
        else:
            step.play(day)
    return Played(world, day, written.getvalue(), **lost)


def pay_while_the_service_dies(world: World, day: Day) -> dict[str, int]:
    """Step 4. `kill -9` finds the end of the check unpublished and the payment's events unacknowledged."""
    check_and_payment.clocks_run(day)
    check_and_payment.call_about_the_order(day)
    check_and_payment.mark_positions(day)
    check_and_payment.add_the_payer(day)
    check_and_payment.issue_the_invoice(day)
    with stalled(world, VICTIM):
        check_and_payment.finish_the_check(day)
        check_and_payment.pay(day)
        found = until("сервис держит сообщения и неотправленные события", lambda: what_would_be_lost(world))
        kill(world, VICTIM)
    world.start(VICTIM)
    check_and_payment.see_the_check(day)
    check_and_payment.see_the_payment(day)
    return found


def what_would_be_lost(world: World) -> dict[str, int] | None:
    """None while there is nothing of one kind or the other."""
    unacknowledged = sum(queue.get("messages_unacknowledged", 0) for queue in world.queues(VICTIM))
    [row] = world.rows(VICTIM, "SELECT count(*) FROM outbox WHERE confirmed_at IS NULL")
    found = {"unacknowledged": unacknowledged, "unpublished": int(row["count"])}
    return found if all(found.values()) else None


def kill(world: World, service: str) -> None:
    pid = world.system.services[service].pid
    assert pid is not None
    process = psutil.Process(pid)
    os.kill(pid, signal.SIGKILL)
    process.wait(10)


def test_the_day_goes_on_to_its_end(played: Played) -> None:
    assert played.unacknowledged > 0
    assert played.unpublished > 0
    assert len(played.day.documents) >= 6


@pytest.mark.parametrize("consumer", SERVICES)
def test_no_event_is_lost(played: Played, consumer: str) -> None:
    """What the producers committed is exactly what each consumer applied."""
    types = set(load(consumer).consumers.handlers)
    committed = {
        row["event_id"]
        for producer in {event_type.partition(".")[0] for event_type in types}
        for row in played.world.rows(producer, "SELECT event_id FROM outbox WHERE type = ANY($1)", sorted(types))
    }

    def applied() -> set[Any]:
        return {row["event_id"] for row in played.world.rows(consumer, "SELECT event_id FROM inbox")}

    assert committed
    until(f"{consumer}: все события применены", lambda: applied() >= committed)
    assert applied() == committed


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_waits_and_nothing_is_parked(played: Played, service: str) -> None:
    waiting = "SELECT event_id, state, error FROM failed_message WHERE state <> 'resolved'"
    until(f"{service}: ничего не повторяется", lambda: not played.world.rows(service, waiting))
    unpublished = "SELECT type FROM outbox WHERE confirmed_at IS NULL"
    until(f"{service}: всё отправлено", lambda: not played.world.rows(service, unpublished))


def test_every_thing_happened_once(played: Played) -> None:
    """Orders, money and documents of the day, counted."""

    def count(service: str, table: str) -> int:
        return int(played.world.rows(service, f"SELECT count(*) FROM {table}")[0]["count"])

    assert count("orders", "customer_order") == 4
    assert count("orders", "purchase_order") == 4
    assert count("orders", "shipment") == 1
    assert count("orders", "claim") == 1
    assert count("billing", "invoices") == 2
    assert count("billing", "payments") == 4
    types = "SELECT type, count(*) FROM outbox GROUP BY type"
    published = {row["type"]: row["count"] for row in played.world.rows(VICTIM, types)}
    assert published["orders.order.placed.v1"] == 4
    assert published["orders.applicability.checked.v1"] == 1
    assert published["orders.goods.issued.v1"] == 1
    paid = played.world.rows("billing", "SELECT count(*) FROM outbox WHERE type = 'billing.order.paid.v1'")
    assert paid[0]["count"] == 2


def test_the_ledger_balances(played: Played) -> None:
    """5990 + 300 + 150 came in, 6020 was sold, 1500 returned."""
    [entry] = played.world.rows("billing", "SELECT count(*), coalesce(sum(amount), 0) AS sum FROM ledger_postings")
    assert entry["count"] > 0
    assert entry["sum"] == 0
    unbalanced = "SELECT entry_id FROM ledger_postings GROUP BY entry_id HAVING sum(amount) <> 0"
    assert played.world.rows("billing", unbalanced) == []
    found = played.day.manager.get(f"billing/balances/{played.day.client.id}")
    assert Decimal(found["balance"]) == Decimal("5990") + 300 + 150 - 6020 + 1500
    assert Decimal(found["held"]) == 0


def test_every_letter_arrived_once(played: Played) -> None:
    """Each letter that was queued is in the mailbox exactly once."""
    queued = "SELECT state FROM notices WHERE channel = 'email' AND state IN ('queued', 'sending')"
    until("все письма отправлены", lambda: not played.world.rows("notifier", queued))
    notices = played.world.rows("notifier", "SELECT id, recipient, title, state FROM notices WHERE channel = 'email'")
    assert {row["state"] for row in notices} == {"sent"}
    letters = played.day.post.letters()
    assert len({letter["message_id"] for letter in letters}) == len(letters)
    wanted = sorted((row["recipient"], row["title"]) for row in notices)
    assert sorted((letter["to"][0], letter["subject"]) for letter in letters) == wanted


def test_the_invoice_can_be_paid_from_its_page(played: Played) -> None:
    """BILL-01: what the payment QR says is what the page says, and what the office's requisites are."""
    page = pypdfium2.PdfDocument(played.day.output / "schet.pdf")[0]
    text = " ".join(page.get_textpage().get_text_range().split())
    codes = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    assert len(codes) == 1
    header, *pairs = codes[0].text.split("|")
    assert header == "ST00012"
    fields = dict(pair.split("=", 1) for pair in pairs if pair)
    account = played.day.mira.card["bank_accounts"][0]
    assert fields["BIC"] == account["bic"]
    assert fields["PersonalAcc"] == account["account"]
    assert fields["CorrespAcc"] == account["correspondent_account"]
    assert fields["PayeeINN"] == played.day.mira.card["requisites"]["inn"]
    assert fields["Sum"] == "499000"
    assert played.day.invoice["number"] in fields["Purpose"]
    for words in (account["bic"], account["account"], played.day.invoice["number"], "4 990,00"):
        assert words in text.replace("\xa0", " ")
    assert "Четыре тысячи девятьсот девяносто рублей 00 копеек" in text
    assert "ООО «Вектор»" in text
