"""7. An order without payment and without a reaction: the clock escalates, at the end the order is removed (NTF-03)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devtools.demo.clocks import change_rule
from devtools.demo.day import Day, Office
from devtools.demo.delivered_messages import Message
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.waiting import until

TITLE = "Забытый заказ: срок предупреждает, нарушен, поднимается до головного офиса"
CLAUSES = ("NTF-03", "ORD-07", "ORG-03", "K15")

RULE = "ORD-07"
LIMIT_COMMENT = "Заявка не актуальна, свяжитесь с менеджером"
SECONDS = {"duration": 5, "senior_manager": 3, "director": 6, "head_office": 9, "limit": 10}
"""The three working days and the ladder, shortened; all but the first step come after the deadline.

Letters to one person within two seconds would come as one digest.
"""
LATER_SECONDS = 4
"""Seconds by which the second office's order reaches head office later; both escalations go there."""
ITEM = {
    "article": "2108-2912654",
    "brand": "LADA",
    "description": "Втулка рессоры",
    "sale_price": "250.00",
    "purchase_price": "170.00",
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An order under moderation, and the people who have to be notified, from the bottom up."""

    office: Office
    client_email: str
    order: JSON
    ladder: list[tuple[str, str]]
    """Person and address."""


def execute(day: Day) -> None:
    set_the_rule_to_seconds(day, day.mira, SECONDS)
    later = {name: SECONDS[name] + LATER_SECONDS for name in ("head_office", "limit")}
    set_the_rule_to_seconds(day, day.tagil, SECONDS | later)
    for forgotten in [forget_an_order(day, office, number) for number, office in enumerate((day.mira, day.tagil))]:
        watch(day, forgotten)


def set_the_rule_to_seconds(day: Day, office: Office, seconds: dict[str, int]) -> None:
    def after(name: str) -> dict[str, Any]:
        return {"amount": seconds.get(name, 0), "unit": "seconds"}

    ladder = ("manager", "senior_manager", "director", "head_office")
    published = change_rule(
        day,
        office,
        RULE,
        {
            "duration": after("duration"),
            "warnings": [{"share": 20, "role": "manager"}],
            "ladder": [{"role": role, "after": after(role)} for role in ladder],
            "limit": {"action": "remove_order", "after": after("limit")},
        },
    )
    day.show.does(
        "Головной офис",
        f"правило {RULE} для «{office.name}»: {published['duration_label']}, лестница по секундам (версия "
        f"{published['version']}); у остальных офисов по-прежнему 3 рабочих дня",
        "ORD-07",
        "NTF-03",
    )


def forget_an_order(day: Day, office: Office, number: int) -> Forgotten:
    """Place the order of an offline client; without a director the senior manager substitutes (ORG-03)."""
    manager, director = office.managers[0], office.director or office.senior
    email = f"sidorov-{number}-{day.stamp}@mail.example"
    client = manager.post(
        "clients/clients",
        {
            "kind": "offline_retail",
            "full_name": "Сидоров Павел Андреевич",
            "phone": f"+7922{int(day.stamp, 16) % 10**5:05}{46 + number}",
            "email": email,
            "manager_id": manager.id,
        },
    )

    def put() -> bool:
        # The client reaches the service by an event; until then there is no basket.
        return manager.send("POST", f"orders/baskets/{client['id']}/items", ITEM).status_code == 201

    until("сервис заказов знает клиента", put)
    order = manager.post("orders/orders", {"client_id": client["id"]})
    day.show.does(manager.name, f"заказ {order['number']} на {order['total']} ₽ принят и забыт", "ORD-01")
    ladder = [(person.name, office.email_of(person)) for person in (manager, office.senior, director)]
    ladder.append((day.head_office.name, day.target.head_office_login))
    return Forgotten(office=office, client_email=email, order=order, ladder=ladder)


def watch(day: Day, forgotten: Forgotten) -> None:
    order_id, number = forgotten.order["id"], forgotten.order["number"]

    def removed() -> JSON | None:
        order = forgotten.office.senior.get(f"orders/orders/{order_id}")
        return order if all(position["state"] == "removed" for position in order["positions"]) else None

    order = until(f"заказ {number} снят автоматически", removed)
    letters = [letter_to(day, forgotten, *escalation_step) for escalation_step in escalation_steps(forgotten)]
    times = [datetime.fromisoformat(letter["date"]) for letter in letters]
    check(times == sorted(set(times)), "каждое письмо позже предыдущего", [str(time) for time in times])
    for letter in letters:
        day.show.letter(letter, "NTF-03")
    if forgotten.office.director is None:
        day.show.happens(f"управляющего в «{forgotten.office.name}» нет: за него {forgotten.ladder[2][0]}", "ORG-03")
    (position,) = order["positions"]
    check_equal(position["client_comment"], LIMIT_COMMENT, "комментарий к снятой позиции")
    day.show.happens(f"заказ {number}: «{position['state_label']}», «{position['client_comment']}»", "ORD-07", "ORD-08")
    client_letter = day.post.letter(to=forgotten.client_email, subject=number)
    check(LIMIT_COMMENT in client_letter["text"], "клиенту сообщена причина")
    day.show.letter(client_letter, "ORD-07", "ORD-08")
    show_history(day, forgotten.office, order_id)


def escalation_steps(forgotten: Forgotten) -> list[tuple[str, str, int]]:
    """Return address, headline and the number of earlier letters with that headline to the address."""
    found: list[tuple[str, str, int]] = [(forgotten.ladder[0][1], "Скоро истечёт срок", 0)]
    for _, address in forgotten.ladder:
        found.append(
            (
                address,
                "Срок нарушен",
                sum(escalation_step[:2] == (address, "Срок нарушен") for escalation_step in found),
            )
        )
    return found


def letter_to(day: Day, forgotten: Forgotten, address: str, headline: str, before: int) -> Message:
    number = forgotten.order["number"]
    expected = sum(escalation_step[:2] == (address, headline) for escalation_step in escalation_steps(forgotten))

    def arrived() -> list[Message] | None:
        letters = [
            letter
            for letter in day.post.letters(to=address, subject=headline)
            if number in letter["subject"] and RULE in letter["subject"]
        ]
        return letters if len(letters) >= expected else None

    letters = until(f"письмо «{headline}» для {address}", arrived)
    check_equal(len(letters), expected, f"писем «{headline}» о заказе {number} для {address}")
    return letters[before]


def show_history(day: Day, office: Office, order_id: str) -> None:
    """Check that nothing fired early: the history holds every step with its moment."""
    page = office.senior.get("notifier/obligations", state="all", rule_code=RULE, subject_id=order_id)
    (obligation,) = page["items"]

    def complete() -> JSON | None:
        found = office.senior.get(f"notifier/obligations/{obligation['id']}")
        return found if found["state"] != "open" else None

    details = until(f"срок {RULE} закрыт", complete)
    opened = datetime.fromisoformat(details["opened_at"])
    rows: list[tuple[Any, ...]] = []
    for entry in details["history"]:
        after = (datetime.fromisoformat(entry["at"]) - opened).total_seconds()
        rows.append((f"+{after:.1f} с", entry["event_label"], entry["role_label"] or "", ", ".join(entry["told"])))
    day.show.table("Время", "Событие", "Уровень", "Кому", rows=rows)
    due = (datetime.fromisoformat(details["due_at"]) - opened).total_seconds()
    check_equal(due, float(SECONDS["duration"]), "срок по правилу офиса, секунд")
    breached = datetime.fromisoformat(details["breached_at"])
    check(breached >= datetime.fromisoformat(details["due_at"]), "нарушение не раньше срока")
    check_equal(details["state"], "done", "исход срока")
