from typing import Any

from shared.contracts.clients import (
    CallLogged,
    ClientChanged,
    ClientRegistered,
    ContactsCorrected,
    ContactsRequested,
    EmailConfirmationRequested,
    VehicleSaved,
)
from tests.contracts.examples.story import CALL, CAR, CLIENT, MANAGER, OFFICE, ORDER, at

_CARD: dict[str, Any] = {
    "office_id": OFFICE,
    "client_id": CLIENT,
    "full_name": "Смирнов Пётр Ильич",
    "organization_name": "ИП Смирнов П. И.",
    "kind": "online",
    "category": "internet",
    "group": "Розница",
    "phone": "+79123456789",
    "email": "smirnov@example.ru",
    "city": "Екатеринбург",
    "time_zone": "Asia/Yekaterinburg",
    "manager_id": MANAGER,
    "consents": ["service", "calls"],
    "active": True,
}

EXAMPLES = (
    ClientRegistered(version=1, occurred_at=at(5), name_verified=False, email_confirmed=False, **_CARD),
    EmailConfirmationRequested(
        office_id=OFFICE,
        version=1,
        occurred_at=at(5),
        client_id=CLIENT,
        full_name="Смирнов Пётр Ильич",
        email="smirnov@example.ru",
        confirmation_url="https://prodetal.example/confirm?token=0123456789abcdef",
        expires_at=at(24 * 60),
    ),
    ContactsRequested(
        office_id=OFFICE,
        version=1,
        occurred_at=at(6),
        client_id=CLIENT,
        full_name="Смирнов Пётр Ильич",
        email="smirnov@example.ru",
        disable_at=at(3 * 24 * 60),
    ),
    ContactsCorrected(office_id=OFFICE, version=2, occurred_at=at(8), client_id=CLIENT),
    ClientChanged(version=2, occurred_at=at(8), name_verified=True, email_confirmed=True, **_CARD),
    CallLogged(
        office_id=OFFICE,
        version=3,
        occurred_at=at(15),
        client_id=CLIENT,
        call_id=CALL,
        staff_id=MANAGER,
        outcome="reached",
        goals=["first_call", "order_contact"],
        order_id=ORDER,
        rating=5,
        first_attempt=True,
        called_at=at(14),
        client_name="Смирнов Пётр Ильич",
    ),
    VehicleSaved(office_id=OFFICE, version=1, occurred_at=at(16), client_id=CLIENT, vehicle=CAR),
)
