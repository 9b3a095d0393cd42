"""8. The client brings a part of 1 500 ₽ back (RET-03, RET-08, RET-09)."""

from decimal import Decimal

from devtools.demo.clocks import closed_obligation, open_obligation
from devtools.demo.day import Day
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.money import balance
from devtools.demo.waiting import until

TITLE = "Возврат детали за 1500 ₽"
CLAUSES = ("RET-03", "RET-08", "RET-09", "BILL-03", "BILL-05")

AMOUNT = Decimal("1500.00")
HOURS_TO_DECIDE = 48


def execute(day: Day) -> None:
    claim = open_the_claim(day)
    offer(day, claim)
    accept(day, claim)


def open_the_claim(day: Day) -> JSON:
    position = next(found for found in day.order_now()["positions"] if found["article"] == "GDB1550")
    check_equal(Decimal(position["amount"]), AMOUNT, "сумма возвращаемой позиции")
    claim = day.client.person.post(
        "orders/claims", {"position_id": position["id"], "reason": "Купила другие, эти не понадобились"}
    )
    open_obligation(day, day.mira, "RET-08", subject_id=claim["id"], seconds=HOURS_TO_DECIDE * 3600)
    day.show.does("Клиент", f"возврат {claim['number']}: {claim['brand']} {claim['article']}, {AMOUNT} ₽", "RET-08")
    day.show.happens("открыт срок решения спора: 48 календарных часов", "RET-08", "K5")
    early = {"decision": "accepted", "reason": "Клиент настаивает"}
    problem = day.manager.refused("POST", f"orders/claims/{claim['id']}/decision", early, code="supplier-check-first")
    day.show.refuses("решение без проверки у поставщика", problem.title, "RET-09")
    return claim


def offer(day: Day, claim: JSON) -> None:
    path = f"orders/claims/{claim['id']}"
    day.manager.post(f"{path}/supplier-check", {"verdict": "refuses", "comment": "Срок возврата поставщику вышел"})
    day.show.does(day.manager.name, "спросил поставщика: обратно не примет", "RET-09")
    matrix = day.manager.get("orders/claims/matrix", amount=str(AMOUNT), kind=claim["kind"])
    check_equal(matrix["clause"], "RET-03", "строка матрицы")
    (found,) = matrix["offers"]
    check_equal(
        (found["discount"], found["later"], found["later_scope"]),
        ({"at_least": 20, "at_most": 25}, {"at_least": 5, "at_most": 5}, "next_order"),
        "предложение матрицы",
    )
    day.show.happens(f"матрица ({matrix['band']}): {found['text']}; иначе: {matrix['otherwise']}", "RET-03")
    day.manager.post(
        f"{path}/offer",
        {
            "offer_code": found["code"],
            "client_answer": "declined",
            "discount_percent": 20,
            "next_discount_percent": 5,
        },
    )
    day.show.does("Клиент", "отказался оставить деталь со скидкой", "RET-03")


def accept(day: Day, claim: JSON) -> None:
    before = balance(day)
    path = f"orders/claims/{claim['id']}/decision"
    decided = day.manager.post(
        path, {"decision": "accepted", "reason": "Деталь не понадобилась, товарный вид сохранён"}
    )
    check_equal((decided["decision"], Decimal(decided["refund"])), ("accepted", AMOUNT), "решение по возврату")
    day.show.does(day.manager.name, f"{decided['decision_label']}: {decided['refund']} ₽", "RET-03")
    closed = closed_obligation(day, day.mira, "RET-08", subject_id=claim["id"])
    check(closed["breached_at"] is None, "спор решён в срок")
    until("деньги за возврат на балансе", lambda: balance(day)[0] == before[0] + AMOUNT)
    day.show.happens(f"деньги на балансе: {balance(day)[0]} ₽, срок 48 часов закрыт", "BILL-03", "RET-08")
    state = next(found for found in day.order_now()["positions"] if found["article"] == "GDB1550")["state_label"]
    check_equal(state, "Возврат", "состояние позиции")

    def printed() -> JSON | None:
        found = day.manager.items("billing/documents", claim_id=claim["id"])
        return found[0] if found else None

    document = until("заявление на возврат готово", printed)
    file = day.manager.download(f"billing/documents/{document['id']}/file")
    check(file.content.startswith(b"%PDF"), "заявление скачивается как PDF")
    day.save("zayavlenie.pdf", file.content, f"заявление на возврат {document['number']}", "RET-03", "BILL-05")
    letter = day.post.letter(to=day.client.email, subject=claim["number"])
    day.show.letter(letter, "RET-03")
