"""Valid bodies, to be spoilt one field at a time."""

from typing import Any
from uuid import UUID

from shared.persistence.database import new_id
from shared.vocabulary.worktime import office_week
from tests.support.requisites import account_with_key

BIC = "044525225"
WEEK = [[list(hours) for hours in day] for day in office_week()]


def office_body(**changes: Any) -> dict[str, Any]:
    return {
        "name": "ПроДеталь-Мира 45",
        "city": "Екатеринбург",
        "address": "ул. Мира, 45",
        "time_zone": "Asia/Yekaterinburg",
        "phones": ["8 (343) 200-00-00"],
        "email": "mira45@prodetal.example",
        "requisites": {
            "legal_name": "ООО «ПроДеталь»",
            "inn": "7707083893",
            "kpp": "773601001",
            "ogrn": "1027700132195",
            "legal_address": "620000, Екатеринбург, ул. Мира, 45",
            "director_name": "Петров Пётр Петрович",
        },
        "bank_accounts": [bank_account()],
        "vat": [{"effective_from": "2025-01-01", "rate_percent": 20}],
        "calendar": {"weekly": WEEK, "public_holidays": True},
    } | changes


def bank_account(**changes: Any) -> dict[str, Any]:
    return {
        "bic": BIC,
        "bank_name": "ПАО Сбербанк",
        "account": account_with_key(BIC, "40702810038000012345"),
        "correspondent_account": "30101810400000000225",
    } | changes


def staff_body(role: str, office_id: UUID | str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "login": f"person-{new_id().hex}",
        "password": "верный пароль",
        "full_name": "Иванов Иван Иванович",
        "role": role,
        "office_id": str(office_id) if office_id else None,
        "email": "ivanov@prodetal.example",
    } | changes
