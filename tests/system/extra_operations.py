"""Operations that the day leaves out, so that every operation of every service succeeds at least once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import httpx

from devtools.demo.day import Day
from devtools.demo.http import Person
from devtools.demo.money import bank_statement
from devtools.demo.steps import call, offices
from devtools.demo.steps.check_and_payment import PAYER
from devtools.demo.steps.escalation import ITEM
from devtools.demo.waiting import until
from services.serving import load
from shared.messaging.topology import queue_name
from tests.system.extra_notifier_operations import notifier
from tests.system.world import World


def run_extra_operations(world: World, day: Day) -> None:
    where = day.target
    head_office = day.visitor.sign_in("control", where.head_office_login, where.head_office_password)
    for service, run_operations in EXTRA_OPERATIONS.items():
        run_operations(world, day, head_office)
        replay_what_is_parked(world, service, head_office)


def replay_what_is_parked(world: World, service: str, head_office: Person) -> None:
    """Let an unreadable message be parked, read it, and replay it."""
    queue = queue_name(service, min(load(service).consumers.handlers))
    message = {
        "routing_key": queue,
        "payload": "no event",
        "payload_encoding": "string",
        "properties": {"message_id": str(uuid4())},
    }
    publish(world, message)
    parked = until("непонятное сообщение отложено", lambda: head_office.items(f"{service}/parked"))[0]
    head_office.get(f"{service}/parked/{parked['id']}")
    head_office.post(f"{service}/parked/{parked['id']}/replay")


def publish(world: World, message: Mapping[str, object]) -> None:
    """Publish through the broker's default exchange."""
    parts = urlsplit(world.infrastructure.management_url)
    base = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    auth = (parts.username or "guest", parts.password or "guest")
    url = f"{base}/api/exchanges/{quote(world.virtual_host, safe='')}/amq.default/publish"
    httpx.post(url, json=message, auth=auth, trust_env=False).raise_for_status()


def control(_: World, day: Day, head_office: Person) -> None:
    login = f"novichok-{day.stamp}@prodetal.example"
    hired = head_office.post(
        "control/staff",
        {
            "login": login,
            "password": offices.PASSWORD,
            "full_name": "Новиков Егор Олегович",
            "role": "assistant",
            "office_id": day.mira.id,
            "email": login,
        },
    )
    newcomer = day.visitor.sign_in("control", login, offices.PASSWORD)
    refreshed = day.visitor.post("control/sessions/refresh", {"refresh_token": newcomer.card["refresh_token"]})
    newcomer = Person(day.visitor.base_url, token=refreshed["access_token"], card=refreshed)
    penalty = {"staff_id": hired["id"], "points": 1, "clause": "CALL-09", "reason": "Трубку сняли после пятого звонка"}
    imposed = head_office.post("control/penalties", penalty)
    head_office.post(f"control/penalties/{imposed['id']}/withdrawal", {"reason": "Линия была занята"})
    newcomer.post(
        "control/me/password", {"current_password": offices.PASSWORD, "new_password": f"{offices.PASSWORD}-2"}
    )
    head_office.post(f"control/staff/{hired['id']}/password", {"password": f"{offices.PASSWORD}-3"})


def clients(_: World, day: Day, __: Person) -> None:
    me = day.visitor.sign_in("clients", day.client.email, call.PASSWORD)
    refreshed = day.visitor.post("clients/sessions/refresh", {"refresh_token": me.card["refresh_token"]})
    me = Person(day.visitor.base_url, token=refreshed["access_token"], card=refreshed)
    me.patch("clients/me", {"city": "Мытищи"}, version=me.get("clients/me")["version"])
    card = day.mira.senior.post(
        "clients/clients", {"full_name": "Громов Олег Ильич", "email": f"gromov-{day.stamp}@mail.example"}
    )
    day.mira.senior.post(f"clients/clients/{card['id']}/login", {"password": call.PASSWORD})
    colleague = next(person for person in day.mira.managers if person.id != card["manager_id"])
    day.mira.senior.post("clients/clients/handovers", {"manager_id": card["manager_id"], "to": [colleague.id]})
    me.post("clients/me/password", {"current_password": call.PASSWORD, "new_password": f"{call.PASSWORD}-2"})


def orders(_: World, day: Day, head_office: Person) -> None:
    basket = f"orders/baskets/{day.client.id}/items"
    item = day.mira.senior.post(basket, ITEM)
    # Lines of a basket have no versions.
    day.mira.senior.send("PATCH", f"{basket}/{item['id']}", {"quantity": 2})
    day.mira.senior.send("DELETE", f"{basket}/{item['id']}")
    task = {"kind": "call_back", "text": "Перезвонить о поступлении"}
    inquiry = day.mira.senior.items("orders/inquiries")[0]
    contact = {"phone": "+79036014511"}
    day.mira.senior.patch(f"orders/inquiries/{inquiry['id']}", contact, version=inquiry["version"])
    added = day.mira.senior.post(f"orders/inquiries/{inquiry['id']}/tasks", task)
    day.mira.senior.post(f"orders/tasks/{added['id']}/completion", {"result": "Купит завтра"})
    current = head_office.items("orders/policies/statistics")[0]
    from_tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    head_office.post("orders/policies/statistics", {"effective_from": from_tomorrow, "data": current["data"]})


def vin(_: World, day: Day, __: Person) -> None:
    senior = day.mira.senior
    body = {
        "client_id": day.client.id,
        "vehicle": {"frame": "GX105-6010796"},
        "parts": [{"text": "Ремень генератора и ролик"}],
    }
    request = senior.post("vin/requests", body)
    request = senior.post(f"vin/requests/{request['id']}/lines", {"text": "Ролик натяжной"})
    senior.send("DELETE", f"vin/requests/{request['id']}/lines/{request['lines'][0]['id']}", version=request["version"])


def billing(_: World, day: Day, __: Person) -> None:
    senior = day.mira.senior
    senior.post(
        "billing/payouts",
        {"client_id": day.client.id, "method": "cash", "amount": "100.00", "reason": "По просьбе клиента"},
    )
    stranger = PAYER | {"account": "40702810938000012345", "inn": "7707083893", "name": "ООО «Без счёта»"}
    statement = bank_statement(
        payer=stranger,
        payee_account=day.mira.card["bank_accounts"][0]["account"],
        number=f"8{int(day.stamp, 16) % 10**5}",
        amount=Decimal("77.00"),
        purpose="Оплата за запчасти",
        on=datetime.now(UTC).date(),
    )
    senior.send("POST", "billing/bank-statements", content=statement, headers={"Content-Type": "text/plain"})
    line = senior.items("billing/bank-statements/lines")[0]
    senior.put(
        f"billing/bank-statements/lines/{line['id']}/client", {"client_id": day.client.id}, version=line["version"]
    )


EXTRA_OPERATIONS: Mapping[str, Callable[[World, Day, Person], None]] = {
    "control": control,
    "clients": clients,
    "orders": orders,
    "vin": vin,
    "billing": billing,
    "notifier": notifier,
}
