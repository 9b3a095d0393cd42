"""9. A visitor walks in, asks for brake pads and leaves (INQ-01…05)."""

from devtools.demo.clocks import closed_obligation, open_obligation
from devtools.demo.day import Day
from devtools.demo.failure import check, check_equal

TITLE = "Посетитель спросил колодки и ушёл"
CLAUSES = ("INQ-01", "INQ-02", "INQ-03", "INQ-04", "INQ-05", "INQ-06", "CALL-13")

VISIT = {
    "customer_type": "individual",
    "channel": "visit",
    "name": "1",
    "city": "Москва",
    "items": [{"text": "Колодки тормозные", "quantity": 1, "price": "1800.00", "category": "Тормозная система"}],
    "internet_advantages_told": True,
    "status": "open",
}


def execute(day: Day) -> None:
    manager = next(person for person in day.mira.managers if person.id != day.manager.id)
    missing = manager.refused("POST", "orders/inquiries", VISIT | {"items": []}, code="invalid")
    day.show.refuses("обращение без товара", missing.detail, "INQ-02")
    no_phone = manager.refused("POST", "orders/inquiries", VISIT | {"call_back_promised": True}, code="invalid")
    day.show.refuses("обещан звонок, а телефона нет", no_phone.detail, "INQ-02", "K9")

    inquiry = manager.post("orders/inquiries", VISIT)
    check_equal((inquiry["name"], inquiry["name_label"]), (None, "Без имени"), "старая отметка «1» значит без имени")
    check_equal(inquiry["suggested_mark"], "bad", "предложенная метка")
    check(inquiry["criteria"], "у метки назван признак")
    day.show.does(
        manager.name,
        f"{inquiry['channel_label']}, {inquiry['name_label']}: {inquiry['items'][0]['text']}; о сайте рассказано",
        "INQ-01",
        "INQ-02",
        "CALL-13",
    )
    day.show.happens(f"предложена метка BAD: {'; '.join(inquiry['criteria'])}", "INQ-05")
    open_obligation(day, day.mira, "INQ-06", subject_id=inquiry["id"])

    marked = manager.put(f"orders/inquiries/{inquiry['id']}/mark", {"mark": None}, version=inquiry["version"])
    check_equal(marked["mark"], None, "метка, которую решил менеджер")
    day.show.does(manager.name, "решает сам: без метки", "INQ-05")

    path = f"orders/inquiries/{inquiry['id']}/status"
    reasonless = manager.refused("POST", path, {"status": "lost"}, code="invalid")
    day.show.refuses("потеряно без причины", reasonless.title, "INQ-03")
    lost = manager.post(path, {"status": "lost", "lost_reason": "high_price"})
    check_equal((lost["status_label"], lost["lost_reason"]), ("Потеряно", "high_price"), "статус обращения")
    day.show.does(manager.name, "статус «Потеряно», причина «Высокая цена»", "INQ-03")
    closed_obligation(day, day.mira, "INQ-06", subject_id=inquiry["id"])
    day.show.happens("срок по обращению закрыт", "INQ-06")
