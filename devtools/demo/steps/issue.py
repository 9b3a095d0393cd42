"""6. The goods come, the client is notified and takes them (ORD-09, ORD-10, NTF-02)."""

from decimal import Decimal

from devtools.demo.day import Day
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.money import balance
from devtools.demo.steps.purchase import act
from devtools.demo.waiting import until

TITLE = "Приход, SMS клиенту, выдача"
CLAUSES = ("ORD-09", "NTF-02", "ORD-10", "ORD-17", "BILL-05")


def execute(day: Day) -> None:
    receive(day)
    hand_over(day)
    print_the_waybill(day)


def receive(day: Day) -> None:
    ordered = day.manager.items("orders/positions", client_id=day.client.id, state="ordered")
    check_equal(len(ordered), 4, "позиции «Заказ отправлен»")
    results = act(day, "receive", ordered)
    check_equal([result["state_label"] for result in results], ["Готов к выдаче"] * 4, "после прихода")
    day.show.does(day.manager.name, "«Оформить приход»: 4 позиции → «Готов к выдаче»", "ORD-09")
    sms = day.post.sms(day.client.phone, containing=day.order["number"])
    check("готов" in sms["text"], "SMS о готовности", sms["text"])
    day.show.sms(sms, "NTF-02")


def hand_over(day: Day) -> None:
    ready = day.manager.items("orders/positions", client_id=day.client.id, state="ready")
    items = [{"position_id": position["id"], "version": position["version"]} for position in ready]
    body = {"action": "issue", "items": items, "disclosures": ["packaging_opened", "individual_order"]}
    problem = day.manager.refused("POST", "orders/positions/actions", body, code="person-not-identified")
    day.show.refuses("выдача неизвестно кому", problem.title, "ORD-10", "CL-05")
    results = act(day, "issue", ready, disclosures=body["disclosures"], person_identified=True)
    check_equal([result["state_label"] for result in results], ["Выдано"] * 4, "после выдачи")
    (day.shipment,) = day.manager.items("orders/shipments", client_id=day.client.id)
    day.show.does(
        day.manager.name,
        f"проверил личность, вскрыл упаковку, «Отгрузить»: {day.shipment['number']} на {day.shipment['total']} ₽",
        "ORD-10",
        "ORD-17",
    )
    issued = sum((Decimal(position["amount"]) for position in ready), Decimal(0))
    check_equal(Decimal(day.shipment["total"]), issued, "сумма выдачи")
    until("продажа проведена по балансу", lambda: balance(day)[1] == 0)
    day.show.happens(f"продажа проведена: баланс {balance(day)[0]} ₽, резерв пуст", "BILL-04")


def print_the_waybill(day: Day) -> None:
    def made() -> JSON | None:
        found = day.manager.items("billing/documents", shipment_id=day.shipment["id"])
        return found[0] if found else None

    document = until("расходная накладная готова", made)
    file = day.manager.download(f"billing/documents/{document['id']}/file")
    check(file.content.startswith(b"%PDF"), "накладная скачивается как PDF")
    day.save("nakladnaya.pdf", file.content, f"расходная накладная {document['number']}, 2 экз.", "ORD-10", "BILL-05")
