"""5. To the suppliers: nothing unpaid, in bulk, refusals (ORD-03, ORD-12, ORD-13, BILL-03)."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from python_calamine import CalamineWorkbook

from devtools.demo.clocks import closed_obligation
from devtools.demo.day import Day
from devtools.demo.delivered_messages import Message
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.money import balance, bank_statement
from devtools.demo.steps.check_and_payment import EXCESS, PAYER
from devtools.demo.waiting import until

TITLE = "Заказ поставщикам, отказ и перезаказ"
CLAUSES = ("ORD-02", "ORD-03", "ORD-05", "ORD-12", "ORD-13", "BILL-03")

SUPPLIERS = {"avtotrade": "Автотрейд", "shate": "Шате-М", "forum": "Форум-Авто"}
PURCHASE = {
    "GDB1550": ("avtotrade", "1100.00"),
    "13.0460-7117.2": ("avtotrade", "1800.00"),
    "W 914/2": ("shate", "300.00"),
    "А17ДВРМ": ("shate", "120.00"),
}
"""Article → supplier and purchase price in roubles."""

OIL: dict[str, Any] = {
    "article": "153A1C",
    "brand": "Mobil",
    "description": "Масло моторное 5W-40, 4 л",
    "sale_price": "1450.00",
    "purchase_price": "1000.00",
}
BY_BANK = Decimal("300.00")


def execute(day: Day) -> None:
    suppliers = make_suppliers(day)
    name_suppliers(day, suppliers)
    oil = unpaid_goes_nowhere(day, suppliers)
    pay_the_rest(day, oil)
    order_in_bulk(day, suppliers, oil)
    nothing_is_ordered_twice(day, suppliers)
    order_again_elsewhere(day, suppliers)
    refuse_for_good(day)


def make_suppliers(day: Day) -> dict[str, JSON]:
    found = {}
    for code, name in SUPPLIERS.items():
        body = {"name": name, "email": f"{code}-{day.stamp}@supplier.example"}
        found[code] = day.mira.senior.post("orders/suppliers", body)
    day.show.does(day.mira.senior.name, f"поставщики офиса: {', '.join(SUPPLIERS.values())}", "ORG-02")
    return found


def name_suppliers(day: Day, suppliers: dict[str, JSON]) -> None:
    """Choose the suppliers: the client chose parts and prices only."""
    for position in day.order_now()["positions"]:
        supplier, price = PURCHASE[position["article"]]
        day.manager.patch(
            f"orders/positions/{position['id']}",
            {"supplier_id": suppliers[supplier]["id"], "purchase_price": price},
            version=position["version"],
        )
    listed = day.manager.items("orders/positions", client_id=day.client.id, state="moderation")
    check_equal(len(listed), 4, "позиции клиента «На модерации»")
    first = listed[0]
    check(first["client_balance"] and first["vehicle"] and first["applicable"], "баланс, автомобиль, отметка проверки")
    day.show.happens(
        f"список позиций: {first['client_name']}, баланс {first['client_balance']['balance']} ₽, "
        f"на модерации {first['client_under_moderation']['count']}, VIN {first['vehicle']['vin']}, проверено",
        "ORD-02",
    )


def unpaid_goes_nowhere(day: Day, suppliers: dict[str, JSON]) -> JSON:
    """Place a second order that costs more than the balance holds; return it."""
    basket = f"orders/baskets/{day.client.id}/items"
    day.manager.post(basket, OIL | {"supplier_id": suppliers["avtotrade"]["id"]})
    oil = day.manager.post("orders/orders", {"client_id": day.client.id})
    total = Decimal(day.order["total"])
    until("переплата зарезервирована под новый заказ", lambda: balance(day)[1] == total + EXCESS)
    (result,) = act(day, "order", oil["positions"])
    check_equal((result["ok"], result["problem"]["type"].rpartition(":")[2]), (False, "order-unpaid"), "без оплаты")
    day.show.refuses(f"заказ {oil['number']} на {oil['total']} ₽ поставщику", result["problem"]["title"], "ORD-12")
    return oil


def pay_the_rest(day: Day, oil: JSON) -> None:
    """Pay by bank statement and by cash desk, each a part."""
    rest = Decimal(oil["total"]) - EXCESS
    invoice = day.manager.post("billing/invoices", {"client_id": day.client.id, "order_id": oil["id"]})
    check_equal(Decimal(invoice["amount"]), rest, "счёт на остаток")
    statement = bank_statement(
        payer=PAYER,
        payee_account=day.mira.card["bank_accounts"][0]["account"],
        number=f"7{int(day.stamp, 16) % 10**5}",
        amount=BY_BANK,
        purpose=f"Оплата по счету № {invoice['number']}. Без НДС",
        on=datetime.now(UTC).date(),
    )
    for expected in ({"matched": 1, "unmatched": 0, "repeated": 0}, {"matched": 0, "unmatched": 0, "repeated": 1}):
        uploaded = day.manager.send(
            "POST", "billing/bank-statements", content=statement, headers={"Content-Type": "text/plain"}
        )
        check(uploaded.is_success, "выписка банка принята", uploaded.text)
        check_equal({name: uploaded.json()[name] for name in expected}, expected, "разбор выписки")
    day.show.does("Банк", f"выписка: {BY_BANK} ₽ по счёту № {invoice['number']}; вторая загрузка не удвоила", "BILL-03")
    cash = {"client_id": day.client.id, "invoice_id": invoice["id"], "method": "cash", "amount": str(rest - BY_BANK)}
    day.manager.post("billing/payments", cash)
    day.show.does(day.manager.name, f"касса: {rest - BY_BANK} ₽ наличными", "BILL-03", "BILL-07")

    def paid() -> bool:
        order = day.manager.get(f"orders/orders/{oil['id']}")
        return all(position["paid"] for position in order["positions"])

    until("второй заказ оплачен", paid)


def order_in_bulk(day: Day, suppliers: dict[str, JSON], oil: JSON) -> None:
    marked = [*day.order_now()["positions"], *day.manager.get(f"orders/orders/{oil['id']}")["positions"]]
    stale = marked[-1] | {"version": marked[-1]["version"] - 1}
    results = act(day, "order", [*marked[:-1], stale])
    check_equal([result["ok"] for result in results], [True] * 4 + [False], "результат по каждой позиции")
    day.show.does(day.manager.name, "отметил всё: «Заказ поставщику»; у каждой позиции свой результат", "ORD-03")
    for position, result in zip(marked, results, strict=True):
        if result["ok"]:
            day.show.happens(f"{position['brand']} {position['article']}: «{result['state_label']}»", "ORD-01")
        else:
            day.show.refuses(f"{position['brand']} {position['article']}", result["problem"]["title"], "ORD-03")
    (again,) = act(day, "order", [marked[-1]])
    check(again["ok"], "с верной версией позиция уходит", again)
    closed = closed_obligation(day, day.mira, "ORD-05", subject_id=day.order["id"])
    check(closed["breached_at"] is None, "оплаченный заказ обработан в срок")
    day.show.happens("срок обработки оплаченного заказа закрыт вовремя", "ORD-05")
    expected = {
        "avtotrade": [["GDB1550", "13.0460-7117.2"], ["153A1C"]],
        "shate": [["W 914/2", "А17ДВРМ"]],
    }
    for code, documents in expected.items():
        letters = letters_to(day, suppliers[code], count=len(documents))
        for letter, articles in zip(letters, documents, strict=True):
            name, table = day.post.attachment(letter)
            rows = CalamineWorkbook.from_filelike(io.BytesIO(table)).get_sheet_by_index(0).to_python()
            cells = {str(cell) for row in rows for cell in row}
            check(set(articles) <= cells, f"в таблице {name} артикулы {articles}", cells)
            day.show.letter(letter, "ORD-03")
            day.save(name, table, f"таблица для «{suppliers[code]['name']}»: {', '.join(articles)}")


def letters_to(day: Day, supplier: JSON, *, count: int) -> list[Message]:
    def arrived() -> list[Message] | None:
        letters = day.post.letters(to=supplier["email"])
        return letters if len(letters) >= count else None

    letters = until(f"письма поставщику «{supplier['name']}»", arrived)
    check_equal(len(letters), count, f"писем поставщику «{supplier['name']}»")
    return letters


def nothing_is_ordered_twice(day: Day, suppliers: dict[str, JSON]) -> None:
    shate = suppliers["shate"]
    (document,) = day.manager.items("orders/purchase-orders", supplier_id=shate["id"])
    day.manager.post(f"orders/purchase-orders/{document['id']}/resend")
    copy = letters_to(day, shate, count=2)[1]
    check("Повторно" in copy["subject"] and "второй раз" in copy["text"], "копия названа копией", copy["subject"])
    day.show.letter(copy, "ORD-03")
    results = act(day, "order", day.order_now()["positions"])
    check(not any(result["ok"] for result in results), "заказанное второй раз не заказывается")
    check_equal(len(day.manager.items("orders/purchase-orders", supplier_id=shate["id"])), 1, "заказов поставщику")
    day.show.happens("повторная отправка и повторное действие ничего не заказали второй раз", "ORD-03")


def order_again_elsewhere(day: Day, suppliers: dict[str, JSON]) -> None:
    position = position_of(day, "13.0460-7117.2")
    day.manager.post(
        f"orders/positions/{position['id']}/refusal", {"reason": "Нет на складе, ждать месяц", "final": False}
    )
    check_equal(position_of(day, "13.0460-7117.2")["state_label"], "Отказ поставщика", "состояние после отказа")
    again = day.manager.post(
        f"orders/positions/{position['id']}/reorder",
        {"supplier_id": suppliers["forum"]["id"], "purchase_price": "1950.00", "term_days": 2},
    )
    check_equal((again["state_label"], again["sale_price"]), ("Заказ отправлен", position["sale_price"]), "перезаказ")
    day.show.does(
        day.manager.name,
        f"отказ «Автотрейд» по ATE 13.0460-7117.2 → «Форум-Авто», цена для клиента прежняя: {again['sale_price']} ₽",
        "ORD-13",
    )
    (letter,) = letters_to(day, suppliers["forum"], count=1)
    day.show.letter(letter, "ORD-13")


def refuse_for_good(day: Day) -> None:
    position = position_of(day, "W 914/2")
    before = balance(day)
    amount = Decimal(position["amount"])
    day.manager.post(f"orders/positions/{position['id']}/refusal", {"reason": "Снят с поставки", "final": True})
    until("деньги за отказ свободны на балансе", lambda: balance(day)[2] == before[2] + amount)
    check_equal(balance(day), (before[0], before[1] - amount, before[2] + amount), "баланс, резерв, свободно")
    day.show.does(day.manager.name, f"окончательный отказ по MANN-FILTER W 914/2: {amount} ₽ свободны", "BILL-03")
    letter = day.post.letter(
        to=day.client.email,
        subject=day.order["number"],
        where=lambda found: "W 914/2" in (found["text"] or "") and "Подходит" not in (found["text"] or ""),
    )
    day.show.letter(letter, "BILL-03")


def position_of(day: Day, article: str) -> JSON:
    return next(position for position in day.order_now()["positions"] if position["article"] == article)


def act(day: Day, action: str, positions: list[JSON], **options: Any) -> list[JSON]:
    """Apply one action to all marked positions; each has its own result."""
    items = [{"position_id": position["id"], "version": position["version"]} for position in positions]
    results: list[JSON] = day.manager.post("orders/positions/actions", {"action": action, "items": items, **options})[
        "results"
    ]
    return results
