"""1. Head office opens two offices and hires their people (ORG-01…04)."""

from typing import Any
from uuid import uuid4

from devtools.demo.day import Day, Office
from devtools.demo.failure import check, check_equal
from devtools.demo.http import Person
from devtools.demo.waiting import until

TITLE = "Головной офис открывает два офиса и принимает людей"
CLAUSES = ("ORG-01", "ORG-02", "ORG-03", "ORG-04")

PASSWORD = "Надёжный-пароль-45"
ROUND_THE_CLOCK = {"weekly": [[["00:00", "24:00"]]] * 7, "public_holidays": False}

MIRA: dict[str, Any] = {
    "name": "ПроДеталь-Мира 45",
    "city": "Москва",
    "address": "пр-т Мира, 45",
    "time_zone": "Europe/Moscow",
    "phones": ["+7 495 604-45-45"],
    "requisites": {
        "legal_name": "ООО «ПроДеталь-Мира»",
        "inn": "7717234502",
        "kpp": "771701001",
        "ogrn": "1187746023453",
        "legal_address": "129110, г. Москва, пр-т Мира, д. 45",
        "director_name": "Соколов Андрей Викторович",
        "accountant_name": "Белова Ирина Олеговна",
    },
    "bank_accounts": [
        {
            "bic": "044525225",
            "bank_name": "ПАО Сбербанк",
            "account": "40702810638000045450",
            "correspondent_account": "30101810400000000225",
        }
    ],
    "vat": [{"effective_from": "2025-01-01", "rate_percent": 20}, {"effective_from": "2026-01-01", "rate_percent": 22}],
    "courier_delivery": True,
}
TAGIL: dict[str, Any] = {
    "name": "Нижний Тагил, ул. Фестивальная, 5а",
    "city": "Нижний Тагил",
    "address": "ул. Фестивальная, 5а",
    "time_zone": "Asia/Yekaterinburg",
    "phones": ["+7 3435 41-55-00"],
    "requisites": {
        "legal_name": "ООО «ПроДеталь-Тагил»",
        "inn": "6623118700",
        "kpp": "662301001",
        "ogrn": "1196658001231",
        "legal_address": "622051, Свердловская обл., г. Нижний Тагил, ул. Фестивальная, д. 5а",
        "director_name": "Кузнецов Пётр Ильич",
    },
    "bank_accounts": [
        {
            "bic": "046577674",
            "bank_name": "Уральский банк ПАО Сбербанк",
            "account": "40702810716540005500",
            "correspondent_account": "30101810500000000674",
        }
    ],
    "vat": [{"effective_from": "2025-01-01", "rate_percent": None}],
}
MIRA_STAFF = [
    ("senior_manager", "Орлова Елена Павловна"),
    ("manager", "Иванов Иван Сергеевич"),
    ("manager", "Морозова Анна Дмитриевна"),
    ("director", "Соколов Андрей Викторович"),
]
TAGIL_STAFF = [
    ("senior_manager", "Кузнецов Пётр Ильич"),
    ("manager", "Лебедева Ольга Игоревна"),
    ("manager", "Зайцев Денис Романович"),
]


def execute(day: Day) -> None:
    where = day.target
    day.head_office = day.visitor.sign_in("control", where.head_office_login, where.head_office_password)
    day.run = 1 + sum(office["name"].startswith(MIRA["name"]) for office in day.head_office.items("control/offices"))
    day.stamp = uuid4().hex[:8]
    day.mira = open_office(day, "mira", MIRA, MIRA_STAFF)
    day.tagil = open_office(day, "tagil", TAGIL, TAGIL_STAFF)
    show_who_directs(day)
    tell_other_services(day)


def open_office(day: Day, code: str, data: dict[str, Any], staff: list[tuple[str, str]]) -> Office:
    name = data["name"] if day.run == 1 else f"{data['name']} ({day.run})"
    body = data | {"name": name, "email": f"{code}-{day.stamp}@prodetal.example", "calendar": ROUND_THE_CLOCK}
    spoilt = body | {"requisites": data["requisites"] | {"inn": data["requisites"]["inn"][:-1] + "9"}}
    refusal = day.head_office.refused("POST", "control/offices", spoilt, code="invalid")
    card = day.head_office.post("control/offices", body)
    day.show.does("Головной офис", f"открыт офис «{name}», {data['city']}, {data['time_zone']}", "ORG-01")
    if code == "mira":
        day.show.refuses("ИНН с неверной контрольной цифрой", refusal.title, "ORG-01")

    people: dict[str, list[Person]] = {"senior_manager": [], "manager": [], "director": []}
    emails = {}
    for number, (role, full_name) in enumerate(staff, start=1):
        login = f"{code}-{role}-{number}-{day.stamp}@prodetal.example"
        hired = day.head_office.post(
            "control/staff",
            {
                "login": login,
                "password": PASSWORD,
                "full_name": full_name,
                "role": role,
                "office_id": card["id"],
                "email": login,
                "phone": f"+7 912 60{number}-45-4{number}",
            },
        )
        person = day.visitor.sign_in("control", login, PASSWORD)
        me = person.get("control/me")
        check_equal((me["id"], me["office_id"]), (hired["id"], card["id"]), f"{full_name} входит в свой офис")
        people[role].append(person)
        emails[person.id] = login
        day.show.does(f"{hired['role_label']} {full_name}", "принят и вошёл в систему", "ORG-02")
    return Office(
        card=card,
        senior=people["senior_manager"][0],
        managers=people["manager"],
        director=next(iter(people["director"]), None),
        emails=emails,
    )


def show_who_directs(day: Day) -> None:
    """Check that the senior manager substitutes for a missing director (ORG-03)."""
    for office, expected in ((day.mira, day.mira.director), (day.tagil, day.tagil.senior)):
        assert expected is not None
        card = day.head_office.get(f"control/offices/{office.id}")
        check_equal(card["acting_director_id"], expected.id, f"обязанности управляющего в «{office.name}»")
        day.show.happens(f"«{office.name}»: за управляющего {expected.name}", "ORG-03")


def tell_other_services(day: Day) -> None:
    """Wait until every service has projected the offices from events."""

    def known() -> bool:
        offered = {office["id"] for office in day.visitor.items("clients/public/offices")}
        return {day.mira.id, day.tagil.id} <= offered

    check(until("офисы в форме регистрации", known), "офисы видны посетителю сайта")
    day.show.happens("остальные сервисы узнали об офисах из событий", "ORG-01")
