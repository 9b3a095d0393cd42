"""2. A client registers, the clock of the first call runs, the manager calls (CL-07, CALL-01, CL-11…13)."""

import re

from devtools.demo.clocks import closed_obligation, open_obligation
from devtools.demo.day import Client, Day
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.waiting import until

TITLE = "Клиент регистрируется, менеджер звонит"
CLAUSES = ("CL-07", "CALL-01", "CL-11", "CL-12", "CL-13", "LET-01", "CL-06")

PASSWORD = "верный-конь-42"
FIRST_CALL_SECONDS = 20 * 60
FABRICATED_PHONE = "+79111111111"
REAL_NAME = "Петрова Мария Николаевна"
COMMENT = "Сайт удобный, до сих пор брала детали на рынке; закажет к выходным."


def execute(day: Day) -> None:
    register_and_confirm(day)
    answer_the_first_call(day)
    ask_for_a_real_phone(day)


def register_and_confirm(day: Day) -> None:
    email, phone = f"petrova-{day.stamp}@mail.example", own_phone(day)
    day.visitor.post(
        "clients/registrations",
        {
            "office_id": day.mira.id,
            "full_name": "маша петрова",
            "email": email,
            "phone": phone,
            "password": PASSWORD,
            "city": "Москва",
            "consents": ["service", "calls"],
        },
    )
    day.show.does("Посетитель", f"зарегистрировался на сайте как «маша петрова», {email}", "CL-07")
    too_early = day.visitor.refused(
        "POST", "clients/sessions", {"login": email, "password": PASSWORD}, code="unauthenticated"
    )
    day.show.refuses("Вход до подтверждения e-mail", too_early.detail, "CL-07")
    letter = day.post.letter(to=email, subject="Подтвердите адрес")
    day.show.letter(letter, "CL-07")
    token = re.search(r"token=([\w-]+)", letter["text"])
    check(token, "в письме есть ссылка для подтверждения", letter["text"])
    assert token is not None
    day.visitor.post("clients/email-confirmations", {"token": token[1]})
    person = day.visitor.sign_in("clients", email, PASSWORD)
    day.client = Client(person=person, email=email, phone=phone)
    check(person.get("clients/me")["email_confirmed"], "e-mail подтверждён")
    day.show.does("Клиент", "подтвердил e-mail и вошёл в кабинет", "CL-07")


def own_phone(day: Day) -> str:
    """Return a number for this run: one that is on many cards would be flagged (CL-06)."""
    return f"+7912{int(day.stamp, 16) % 10**5:05}47"


def answer_the_first_call(day: Day) -> None:
    clock = open_obligation(day, day.mira, "CALL-01", seconds=FIRST_CALL_SECONDS, subject_id=day.client.id)
    day.show.happens(f"открыт срок «{clock['title']}»: 20 рабочих минут", "CALL-01")

    def listed() -> JSON | None:
        calls = day.mira.senior.items("clients/call-list", client_id=day.client.id)
        return next((call for call in calls if call["goal"] == "first_call"), None)

    call = until("звонок в списке менеджера", listed)
    check(0 < call["seconds_left"] <= FIRST_CALL_SECONDS, "оставшееся время звонка", call["seconds_left"])
    check_equal(call["clause"], "CALL-01", "пункт регламента у звонка")
    day.manager = day.mira.person(call["manager_id"])
    mine = [item["client_id"] for item in day.manager.items("clients/call-list", mine="true")]
    check(day.client.id in mine, "звонок в списке ответственного менеджера")
    left = divmod(call["seconds_left"], 60)
    day.show.happens(
        f"список звонков: {call['goal_label']}, {call['client_name']}, {call['phone_shown']}, "
        f"осталось {left[0]} мин {left[1]} с; отвечает {day.manager.name}",
        "CALL-01",
        "CL-10",
    )
    call = day.manager.post(
        f"clients/clients/{day.client.id}/calls",
        {
            "outcome": "reached",
            "goals": ["first_call"],
            "rating": 5,
            "comment": COMMENT,
            "source": "Автоклуб",
            "full_name": REAL_NAME,
        },
    )
    check(
        re.fullmatch(rf"\d\d:\d\d, \d\d\.\d\d\.\d\d\. Оценка 5\. {re.escape(COMMENT)} [А-Я]\.[А-Я]\.", call["entry"]),
        "запись в журнале звонков по образцу CL-11",
        call["entry"],
    )
    day.show.does(day.manager.name, f"позвонил: «{call['entry']}»", "CL-11", "CL-12", "CL-13")
    card = day.manager.get(f"clients/clients/{day.client.id}")
    check_equal(
        (card["full_name"], card["name_verified"], card["rating"], card["source"]),
        (REAL_NAME, True, 5, "Автоклуб"),
        "карточка после звонка",
    )
    day.show.happens(f"ФИО уточнено: {card['full_name']}; источник: {card['source']}", "CL-05", "CL-13")
    closed = closed_obligation(day, day.mira, "CALL-01", subject_id=day.client.id)
    check(closed["breached_at"] is None, "первый звонок сделан в срок")
    day.show.happens("срок первого звонка закрыт вовремя", "CALL-01")
    letter = day.post.letter(to=day.client.email, subject="ИНСТРУКЦИИ")
    check_equal(letter["subject"], f"{day.mira.name.upper()} ИНСТРУКЦИИ", "тема информационного письма")
    check("Мария Николаевна" in letter["text"], "обращение по имени и отчеству")
    day.show.letter(letter, "LET-01", "CALL-02")


def ask_for_a_real_phone(day: Day) -> None:
    email = f"kto-to-{day.stamp}@mail.example"
    registered = day.visitor.post(
        "clients/registrations",
        {
            "office_id": day.mira.id,
            "full_name": "Аноним",
            "email": email,
            "phone": FABRICATED_PHONE,
            "password": PASSWORD,
            "consents": ["service"],
        },
    )
    letter = day.post.letter(to=email, subject="номер телефона")
    check("отключена" in letter["text"], "письмо предупреждает об отключении")
    clock = open_obligation(day, day.mira, "CL-06", subject_id=registered["client_id"])
    day.show.does("Другой посетитель", f"указал телефон {FABRICATED_PHONE}; открыт срок «{clock['title']}»", "CL-06")
    day.show.letter(letter, "CL-06")
