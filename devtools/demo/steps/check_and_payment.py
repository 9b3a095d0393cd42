"""4. The order under moderation: clocks, check of applicability, invoice, payment (ORD-01…07, BILL-01…05)."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from devtools.demo.clocks import APPLICABILITY, closed_obligation, open_obligation
from devtools.demo.day import Day
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON, problem_of
from devtools.demo.money import acquirer_notice, balance
from devtools.demo.waiting import until

TITLE = "Заказ на модерации: проверка, счёт, оплата"
CLAUSES = ("ORD-01", "ORD-04", "ORD-05", "ORD-06", "ORD-07", "CALL-06", "BILL-01", "BILL-02", "BILL-04", "BILL-05")

MINUTE = 60
CLOCKS = {"ORD-04": 40 * MINUTE, "CALL-06": 60 * MINUTE, "ORD-06-UNPAID": 120 * MINUTE, "ORD-07": 3 * 24 * 60 * MINUTE}
"""Time that each rule allows, in seconds, in an office that never closes."""

PAYER: dict[str, Any] = {
    "name": "ООО «Вектор»",
    "inn": "7708123404",
    "kpp": "770801001",
    "address": "107078, г. Москва, ул. Садовая-Спасская, д. 20",
    "bank_name": "ПАО Сбербанк",
    "bic": "044525225",
    "account": "40702810438000077110",
    "correspondent_account": "30101810400000000225",
}
SPOILT = {"ИНН": {"inn": "7708123405"}, "БИК": {"bic": "044525226"}, "ключ счёта": {"account": "40702810538000077110"}}

FIRST_SHARE, EXCESS = Decimal("3000.00"), Decimal("1000.00")


def execute(day: Day) -> None:
    clocks_run(day)
    call_about_the_order(day)
    mark_positions(day)
    finish_the_check(day)
    see_the_check(day)
    add_the_payer(day)
    issue_the_invoice(day)
    pay(day)
    see_the_payment(day)


def clocks_run(day: Day) -> None:
    for rule, seconds in CLOCKS.items():
        clock = open_obligation(day, day.mira, rule, subject_id=day.order["id"], seconds=seconds)
        due = datetime.fromisoformat(clock["due_at"]).astimezone(ZoneInfo(day.mira.card["time_zone"]))
        day.show.happens(f"идёт срок «{clock['title']}», до {due:%d.%m %H:%M}", rule)


def call_about_the_order(day: Day) -> None:
    day.manager.post(
        f"clients/clients/{day.client.id}/calls",
        {
            "outcome": "reached",
            "goals": ["order_contact", "order_offer"],
            "order_id": day.order["id"],
            "rating": 5,
            "comment": "Оплатит сегодня картой на сайте, от диска в комплект отказалась.",
        },
    )
    for rule in ("ORD-04", "CALL-06"):
        closed_obligation(day, day.mira, rule, subject_id=day.order["id"])
    day.show.does(day.manager.name, "один звонок закрыл оба срока: оплата и предложение", "ORD-04", "CALL-06", "K2")


def mark_positions(day: Day) -> None:
    for position in day.order_now()["positions"]:
        checked = day.manager.put(
            f"orders/positions/{position['id']}/check",
            {"applicable": True, "comment": "Подходит к Вашему автомобилю"},
            version=position["version"],
        )
        check_equal(checked["applicable"], True, f"отметка проверки {position['article']}")
    day.show.does(day.manager.name, "проверил применимость каждой позиции", "ORD-06")


def finish_the_check(day: Day) -> None:
    day.order = day.manager.post(f"orders/orders/{day.order['id']}/check/completion")
    day.show.does(day.manager.name, "завершил проверку", "ORD-06")


def see_the_check(day: Day) -> None:
    clock = closed_obligation(day, day.mira, APPLICABILITY, subject_id=day.order["id"])
    check(clock["breached_at"] is None, "проверка завершена в срок")
    letter = day.post.letter(
        to=day.client.email, subject=day.order["number"], where=lambda found: "Подходит" in (found["text"] or "")
    )
    articles = [position["article"] for position in day.order["positions"]]
    check(all(article in letter["text"] for article in articles), "результат написан по каждой позиции")
    day.show.letter(letter, "ORD-06")


def add_the_payer(day: Day) -> None:
    body = PAYER | {"client_id": day.client.id}

    def known() -> bool:
        # The client and the order reach the service by events.
        return day.manager.send("GET", f"billing/balances/{day.client.id}").is_success

    until("сервис денег знает клиента", known)
    for what, spoilt in SPOILT.items():
        problem = day.manager.refused("POST", "billing/payers", body | spoilt, code="invalid")
        day.show.refuses(f"плательщик с неверным реквизитом: {what}", problem.detail or problem.title, "BILL-02")
    payer = day.manager.post("billing/payers", body)
    day.show.does(day.manager.name, f"плательщик клиента: {payer['name']}, ИНН {payer['inn']}", "BILL-02")


def issue_the_invoice(day: Day) -> None:
    def issued() -> JSON | None:
        # The order reaches the service by an event.
        answer = day.manager.send("POST", "billing/invoices", {"client_id": day.client.id, "order_id": day.order["id"]})
        return answer.json() if answer.status_code == 201 else None

    day.invoice = until("счёт на заказ выставлен", issued)
    check_equal(Decimal(day.invoice["amount"]), Decimal(day.order["total"]), "сумма счёта")
    open_obligation(day, day.mira, "BILL-06", subject_id=day.invoice["id"])
    day.show.does(
        day.manager.name,
        f"счёт № {day.invoice['number']} на {day.invoice['amount']} ₽, плательщик подставлен сам",
        "BILL-01",
        "BILL-06",
    )
    document = day.client.person.download(f"billing/invoices/{day.invoice['id']}/document")
    check(document.content.startswith(b"%PDF"), "счёт скачивается как PDF")
    day.save("schet.pdf", document.content, f"счёт на оплату № {day.invoice['number']}", "BILL-01", "BILL-05")


def pay(day: Day) -> None:
    total = Decimal(day.order["total"])
    first = notice(day, "1", FIRST_SHARE)
    forged = acquirer_notice(day, first, secret="чужой ключ")
    problem = problem_of(forged)
    check(problem is not None and problem.status in (401, 403), "уведомление с чужой подписью отвергнуто", problem)
    assert problem is not None
    day.show.refuses("уведомление эквайера с чужой подписью", problem.title, "BILL-03")
    for share in (first, notice(day, "2", total - FIRST_SHARE + EXCESS)):
        answers = [acquirer_notice(day, share) for _ in range(2)]
        problems = [found for answer in answers if (found := problem_of(answer))]
        check(not problems, "подписанное уведомление принято", problems)
        check_equal(answers[0].json(), answers[1].json(), "повтор уведомления ничего не меняет")
        day.show.does("Эквайер", f"оплата {share['amount']} ₽, уведомление прислано дважды", "BILL-03")


def notice(day: Day, number: str, amount: Decimal) -> dict[str, Any]:
    return {
        "event_id": f"{day.stamp}-{number}",
        "office_id": day.mira.id,
        "invoice_id": day.invoice["id"],
        "amount": str(amount),
        "currency": "RUB",
        "status": "succeeded",
    }


def see_the_payment(day: Day) -> None:
    total = Decimal(day.order["total"])
    check_equal(balance(day), (total + EXCESS, total, EXCESS), "баланс, резерв, свободно")
    day.show.happens(
        f"баланс {total + EXCESS} ₽: {total} ₽ в резерве под позиции, {EXCESS} ₽ переплата свободна", "BILL-04"
    )

    def paid() -> JSON | None:
        order = day.order_now()
        return order if all(position["paid"] for position in order["positions"]) else None

    day.order = until("заказ оплачен", paid)
    closed_obligation(day, day.mira, "BILL-06", subject_id=day.invoice["id"])
    clock = open_obligation(day, day.mira, "ORD-05", subject_id=day.order["id"], seconds=20 * MINUTE)
    day.show.happens(f"заказ оплачен, идёт срок «{clock['title']}»: 20 рабочих минут", "ORD-05", "K18")
