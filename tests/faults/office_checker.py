"""Promises of the office: orders, money, goods, clocks and letters, each once."""

from collections import Counter
from decimal import Decimal

from simulators.sms.gateways import RunningSmsSimulator
from tests.faults.checker import Verdict, check_connections, check_drained, check_events
from tests.faults.history import History
from tests.faults.mail import MailServer
from tests.faults.office import ITEMS, TOTAL
from tests.faults.world import World, until

ONCE = {
    "orders": ("orders", "SELECT count(*) FROM customer_order", 1),
    "positions": ("orders", "SELECT count(*) FROM position", len(ITEMS)),
    "positions issued": ("orders", "SELECT count(*) FROM position WHERE state = 'issued'", len(ITEMS)),
    "shipments": ("orders", "SELECT count(*) FROM shipment", 1),
    "invoices": ("billing", "SELECT count(*) FROM invoices", 1),
    "invoices paid": ("billing", "SELECT count(*) FROM invoices WHERE paid = amount", 1),
    "payments": ("billing", "SELECT count(*) FROM payments", 1),
    "payments booked": ("billing", "SELECT count(*) FROM ledger_entries WHERE kind = 'payment'", 1),
    "sales booked": ("billing", "SELECT count(*) FROM ledger_entries WHERE kind = 'sale'", 1),
}
"""Rows per order that was served."""
OBLIGATION_KINDS = ("moderation", "order_processing", "order_offer_call")
"""Clocks of each order."""
EVENTS = {
    "orders": ("orders.order.placed.v1", "orders.goods.issued.v1"),
    "billing": ("billing.invoice.issued.v1", "billing.order.paid.v1", "billing.payment.received.v1"),
}
"""Events published once per order."""


async def check_office(world: World, history: History, mail: MailServer, orders: int, since: float) -> Verdict:
    verdict = Verdict()
    await check_drained(world, verdict, since)
    acknowledged = [line["command"] for line in history.lines("acknowledged")]
    verdict.figures |= {"orders served": orders, "commands acknowledged": len(acknowledged)}
    verdict.require_none("commands given up", [f"{x['command']}: {x['last']}" for x in history.lines("given_up")])
    for what, (service, query, each) in ONCE.items():
        found = await world.count(service, query)
        verdict.figures[what] = found
        verdict.require(found == each * orders, f"{what}: {found}, not {each * orders}")
    for service, types in EVENTS.items():
        published = dict(await world.rows(service, "SELECT type, count(*) FROM outbox GROUP BY type"))
        for event_type in types:
            verdict.require(
                published.get(event_type) == orders, f"{event_type}: {published.get(event_type)}, not {orders}"
            )
    await check_money(world, verdict, orders)
    await check_clocks(world, verdict)
    for obligation_kind in OBLIGATION_KINDS:
        opened = verdict.figures["clocks per obligation kind of orders"].get(obligation_kind, 0)
        # When its end arrives before its beginning, as after a fault, it is not opened.
        verdict.require(opened >= orders / 2, f"clocks of {obligation_kind}: {opened} of {orders} orders")
    await check_letters(world, verdict, mail)
    verdict.require(verdict.figures["letters"] >= orders, f"letters: {verdict.figures['letters']} of {orders} orders")
    await check_outcomes(world, verdict, at_most_unknown=len(list(history.lines("fault"))))
    await check_events(world, verdict)
    await check_connections(world, verdict)
    return verdict


async def check_money(world: World, verdict: Verdict, orders: int) -> None:
    unbalanced = "SELECT entry_id FROM ledger_postings GROUP BY entry_id HAVING sum(amount) <> 0"
    verdict.require_none("ledger entries out of balance", [row[0] for row in await world.rows("billing", unbalanced)])
    accounts = await world.rows(
        "billing", "SELECT client_id, balance, held FROM accounts WHERE balance <> 0 OR held <> 0"
    )
    verdict.require_none("accounts with money left", [row["client_id"] for row in accounts])
    [taken] = await world.rows("billing", "SELECT coalesce(sum(amount), 0) FROM payments")
    verdict.require(taken[0] == Decimal(TOTAL) * orders, f"payments of {taken[0]}, not {Decimal(TOTAL) * orders}")


async def check_clocks(world: World, verdict: Verdict) -> None:
    """Require each obligation of each subject once, and no step before its time."""
    openings = Counter(
        (row["subject_id"], row["duty"])
        for row in await world.rows("notifier", "SELECT subject_id, duty FROM obligations WHERE generation = 1")
    )
    verdict.figures["clocks"] = len(openings)
    verdict.require_none(
        "clocks opened twice",
        [f"{obligation_kind} of {subject}" for (subject, obligation_kind), n in openings.items() if n > 1],
    )
    early = "SELECT obligation_id FROM obligation_levels WHERE fired_at < planned_at"
    verdict.require_none("clocks fired early", [row[0] for row in await world.rows("notifier", early)])
    of_orders = "SELECT duty, count(*) AS times FROM obligations WHERE subject_kind = 'order' GROUP BY duty"
    counts = {row["duty"]: row["times"] for row in await world.rows("notifier", of_orders)}
    verdict.figures["clocks per obligation kind of orders"] = counts


async def check_outcomes(world: World, verdict: Verdict, *, at_most_unknown: int) -> None:
    """Require that all messages are sent, but for one per fault and channel that was on the wire and is unknown."""
    for channel in ("email", "sms"):
        await _have_outcomes(world, verdict, channel)
        states = await world.rows("notifier", "SELECT state FROM notices WHERE channel = $1", channel)
        counts = Counter(row["state"] for row in states)
        unknown = counts.pop("unknown", 0)
        verdict.require(unknown <= at_most_unknown, f"{unknown} by {channel} unknown, {at_most_unknown} faults")
        verdict.require(set(counts) <= {"sent", "delivered"}, f"by {channel}: {dict(counts)}")


async def check_sms(world: World, verdict: Verdict, gateway: RunningSmsSimulator, orders: int) -> None:
    """Require one SMS per client about the goods; a phone without one belongs to an SMS of unknown outcome."""
    await _have_outcomes(world, verdict, "sms")
    taken = Counter(message.phone for message in gateway.messages)
    rows = await world.rows("notifier", "SELECT recipient, state FROM notices WHERE channel = 'sms'")
    unknown = [row["recipient"] for row in rows if row["state"] == "unknown"]
    verdict.figures |= {"SMS": len(rows), "SMS unknown": len(unknown)}
    verdict.require(len(rows) == orders, f"SMS: {len(rows)}, not {orders}")
    verdict.require_none("SMS sent twice", [phone for phone, times in taken.items() if times > 1])
    surely = {row["recipient"].lstrip("+") for row in rows if row["state"] in ("sent", "delivered")}
    verdict.require_none("SMS said to be sent, never taken", surely - taken.keys())


async def check_letters(world: World, verdict: Verdict, mail: MailServer) -> None:
    """Require that sent messages were accepted once, unknown ones at most once, and no others."""
    await _have_outcomes(world, verdict, "email")
    rows = await world.rows("notifier", "SELECT id::text, state FROM notices WHERE channel = 'email'")
    states = {row["id"]: row["state"] for row in rows}
    verdict.figures |= {"letters": len(states), "letters unknown": list(states.values()).count("unknown")}
    verdict.require_none("letters sent twice", [letter for letter, times in mail.taken.items() if times > 1])
    sent = [letter for letter, state in states.items() if state == "sent"]
    verdict.require_none("letters said to be sent, never taken", [letter for letter in sent if not mail.taken[letter]])
    settled_otherwise = {letter for letter, state in states.items() if state not in ("sent", "unknown")}
    verdict.require_none("letters taken, not said to be sent", settled_otherwise & set(mail.taken))


async def _have_outcomes(world: World, verdict: Verdict, channel: str) -> None:
    waiting = "SELECT count(*) FROM notices WHERE channel = $1 AND state IN ('queued', 'sending')"

    async def settled() -> bool:
        return await world.count("notifier", waiting, channel) == 0

    try:
        await until(settled, f"every notice by {channel} has its outcome", 60)
    except TimeoutError as error:
        verdict.violations.append(str(error))
