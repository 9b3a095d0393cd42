"""3. A car by its VIN, a request with three parts, the answer, the basket and the order (VIN-01…10)."""

from typing import Any

from devtools.demo.clocks import closed_obligation, open_obligation
from devtools.demo.day import Day
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.waiting import until

TITLE = "Запрос по VIN: от гаража до заказа"
CLAUSES = ("CL-15", "VIN-01", "VIN-02", "VIN-03", "VIN-04", "VIN-05", "VIN-10", "ORD-01")

TYPED_VIN, REAL_VIN = "ХТА21124070445066", "XTA21124070445066"
"""The first three letters are typed in Russian."""

PARTS = ("Колодки тормозные передние", "Фильтр масляный", "Накладка порога правая")
ANSWER_SECONDS = 2 * 60 * 60

SQUEEZED = {
    "запятая": "GDB1550, GDB1551",
    "косая черта": "GDB1550/GDB1551",
    "пробел": "GDB1550 GDB1551",
    "перевод строки": "GDB1550\nGDB1551",
}
REAL_ARTICLES = ("06A 115 561 B", "13.0460-7117.2", "1 987 302 041", "W 719/30")
PADS = [
    {
        "article": "GDB1550",
        "brand": "TRW",
        "description": "Колодки тормозные передние",
        "price": "1500.00",
        "term_days": 2,
        "comment": "Рекомендуем Вам эту пару: ресурс больше, чем у заводской",
    },
    {
        "article": "13.0460-7117.2",
        "brand": "ATE",
        "description": "Колодки тормозные передние",
        "price": "2350.00",
        "term_days": 3,
    },
]
FILTER = {
    "article": "W 914/2",
    "brand": "MANN-FILTER",
    "description": "Фильтр масляный",
    "price": "420.00",
    "term_days": 1,
}
PLUG = {
    "article": "А17ДВРМ",
    "brand": "Энгельс",
    "description": "Свеча зажигания",
    "kind": "consumable",
    "quantity": 4,
    "sale_price": "180.00",
    "purchase_price": "120.00",
}


def execute(day: Day) -> None:
    put_the_car_into_the_garage(day)
    send_the_request(day)
    squeezing_is_refused(day)
    answer(day)
    see_the_answer(day)
    make_an_order_of_it(day)


def put_the_car_into_the_garage(day: Day) -> None:
    day.vehicle = day.client.person.post(f"clients/clients/{day.client.id}/vehicles", {"vin": TYPED_VIN})
    check_equal(day.vehicle["vin"], REAL_VIN, "VIN после замены похожих букв")
    check(day.vehicle["correction"], "клиенту показано, что заменено")
    day.show.does("Клиент", f"поставил автомобиль в гараж: {day.vehicle['correction']}", "CL-15")


def send_the_request(day: Day) -> None:
    body = {
        "vehicle_id": day.vehicle["id"],
        "preference": "price_quality",
        "parts": [{"text": PARTS[0]}, {"text": PARTS[1]}, {"text": PARTS[2]}],
    }

    def sent() -> JSON | None:
        # The car and the client reach the service by events; until then they are not found there.
        answer = day.client.person.send("POST", "vin/requests", body)
        return answer.json() if answer.status_code == 201 else None

    day.vin_request = until("сервис запросов знает автомобиль клиента", sent)
    number = day.vin_request["number"]
    day.show.does(
        "Клиент", f"VIN-запрос {number}: три детали, «{day.vin_request['preference_label']}»", "VIN-01", "VIN-02"
    )
    letter = day.post.letter(to=day.mira.email, subject=number)
    check(all(part in letter["text"] for part in PARTS), "в письме офису все детали")
    day.show.letter(letter, "NTF-01", "VIN-01")
    open_obligation(day, day.mira, "VIN-05", seconds=ANSWER_SECONDS, subject_id=day.vin_request["id"])
    waiting = day.manager.items("vin/requests")
    check(day.vin_request["id"] in [row["id"] for row in waiting], "запрос среди необработанных")
    day.show.happens("запрос стоит в «необработанных», открыт срок ответа: 2 рабочих часа", "VIN-01", "VIN-05")


def squeezing_is_refused(day: Day) -> None:
    line = day.vin_request["lines"][0]
    path = f"vin/requests/{day.vin_request['id']}/lines/{line['id']}"
    version = day.vin_request["version"]
    for separator, article in SQUEEZED.items():
        offer = {"article": article, "brand": "TRW", "description": PARTS[0]}
        problem = day.manager.refused("PUT", path, {"offers": [offer]}, version=version, code="several-articles")
        day.show.refuses(f"два артикула в строке, {separator}", problem.title, "VIN-03")
    hidden = PADS[0] | {"comment": "Есть аналог GDB1551, спросите нас"}
    problem = day.manager.refused("PUT", path, {"offers": [hidden]}, version=version, code="several-articles")
    day.show.refuses("второй артикул в комментарии", problem.title, "VIN-03")
    for article in REAL_ARTICLES:
        offer = {"article": article, "brand": "Febi", "description": PARTS[0]}
        changed = day.manager.put(path, {"offers": [offer]}, version=version)
        check_equal(changed["lines"][0]["offers"][0]["article"], article, "артикул с пробелами и дефисами")
        version = changed["version"]
    day.vin_request["version"] = version
    day.show.happens(f"настоящие артикулы проходят: {'; '.join(REAL_ARTICLES)}", "VIN-03")


def answer(day: Day) -> None:
    lines = day.vin_request["lines"]
    answers: list[dict[str, Any]] = [
        {"offers": PADS},
        {"offers": [FILTER]},
        {"refusal": {"reason_code": "discontinued"}},
    ]
    version = day.vin_request["version"]
    for line, content in zip(lines, answers, strict=True):
        path = f"vin/requests/{day.vin_request['id']}/lines/{line['id']}"
        version = day.manager.put(path, content, version=version)["version"]
    answered = day.manager.post(f"vin/requests/{day.vin_request['id']}/answer", {"notify_client": True})
    check_equal(answered["answer"]["answered_by"], day.manager.id, "кто подобрал детали")
    day.show.does(
        day.manager.name,
        "ответил: две замены первой детали, одна второй, у третьей причина для клиента",
        "VIN-03",
        "VIN-06",
        "VIN-09",
    )


def see_the_answer(day: Day) -> None:
    day.vin_request = day.client.person.get(f"vin/requests/{day.vin_request['id']}")
    lines = day.vin_request["answer"]["lines"]
    check_equal([len(line["offers"]) for line in lines], [2, 1, 0], "предложений по строкам")
    check("Вам" in lines[2]["refusal_comment"], "отказ обращён к клиенту", lines[2]["refusal_comment"])
    number = day.vin_request["number"]

    def in_cabinet() -> JSON | None:
        messages = day.client.person.items("notifier/cabinet/messages")
        return next((message for message in messages if number in message["title"]), None)

    message = until("ответ в кабинете клиента", in_cabinet)
    day.client.person.post(f"notifier/cabinet/messages/{message['id']}/read")
    day.show.happens(f"в кабинете клиента: «{message['title']}»", "VIN-04")
    letter = day.post.letter(to=day.client.email, subject=number)
    check("GDB1550" in letter["text"], "предложения есть в письме")
    day.show.letter(letter, "VIN-04")
    closed = closed_obligation(day, day.mira, "VIN-05", subject_id=day.vin_request["id"])
    check(closed["breached_at"] is None, "ответ дан в срок")
    day.show.happens("срок ответа закрыт вовремя", "VIN-05")


def make_an_order_of_it(day: Day) -> None:
    basket = f"orders/baskets/{day.client.id}"
    offers = [offer for line in day.vin_request["answer"]["lines"] for offer in line["offers"]]
    body = {
        "request_id": day.vin_request["id"],
        "choices": [
            {"offer_id": offers[0]["offer_id"], "kind": "consumable"},
            {"offer_id": offers[1]["offer_id"]},
            {"offer_id": offers[2]["offer_id"], "kind": "consumable"},
        ],
    }

    def taken() -> JSON | None:
        answer = day.client.person.send("POST", f"{basket}/vin-answers", body)
        return answer.json() if answer.status_code == 201 else None

    items = until("сервис заказов знает ответ на запрос", taken)
    check_equal([item["article"] for item in items], [offer["article"] for offer in offers], "корзина из ответа")
    day.show.does("Клиент", f"положил в корзину {len(items)} строки ответа одним действием", "VIN-10")
    day.manager.post(f"{basket}/items", PLUG)
    day.show.does(day.manager.name, "ответил на звонок и добавил свечи зажигания, 4 шт.", "CALL-10")
    day.order = day.client.person.post(
        "orders/orders", {"client_id": day.client.id, "check_requested": True, "vehicle_id": day.vehicle["id"]}
    )
    check_equal(day.order["state_label"], "На модерации", "состояние нового заказа")
    check_equal(len(day.order["positions"]), 4, "позиций в заказе")
    check_equal(day.client.person.get(f"{basket}/items")["items"], [], "корзина после заказа")
    day.show.does(
        "Клиент",
        f"заказ {day.order['number']} на {day.order['total']} ₽, просит проверить применимость",
        "VIN-10",
        "ORD-01",
    )
    day.manager.post(
        "orders/inquiries",
        {
            "customer_type": "individual",
            "channel": "phone",
            "name": day.client.person.name,
            "phone": day.client.phone,
            "city": "Москва",
            "items": [{"text": PLUG["description"], "quantity": PLUG["quantity"], "price": PLUG["sale_price"]}],
            "status": "won",
            "order_id": day.order["id"],
        },
    )
    day.show.does(day.manager.name, "записал звонок как обращение, ставшее заказом", "INQ-01", "INQ-03")
