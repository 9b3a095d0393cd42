"""Letters to an office become inquiries (CALL-12)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.base.clock import now
from shared.contracts.control import StaffChanged
from shared.contracts.notifier import MailAnswered, MailReceived
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.persistence.database import new_id
from tests.integration.orders.conftest import Json, Office


def event(office: Office, **body: Any) -> Json:
    return {"office_id": office.id, "version": 1, "occurred_at": now(), **body}


async def hire(office: Office) -> UUID:
    staff_id = new_id()
    body = {
        "staff_id": staff_id,
        "full_name": "Иванов Иван",
        "role": "manager",
        "email": "i@example.ru",
        "active": True,
    }
    await office.orders.deliver(StaffChanged.model_validate(event(office, **body)))
    return staff_id


async def write(office: Office, *, client_id: UUID | None = None) -> UUID:
    mail_id = new_id()
    body = {"mail_id": mail_id, "thread_id": mail_id, "client_id": client_id, "received_at": now()}
    for _ in range(2):  # Delivered twice under different ids: it is still one letter.
        await office.orders.deliver(MailReceived.model_validate(event(office, **body)))
    return mail_id


@pytest.mark.clause("INQ-01")
async def test_a_letter_is_one_inquiry_of_the_clients_manager(office: Office) -> None:
    colleague, manager, client_id = await hire(office), await hire(office), new_id()
    await office.register(client_id, manager_id=manager)
    mail_id = await write(office, client_id=client_id)
    (recorded,) = await office.orders.published(InquiryRecorded, inquiry_id=mail_id)
    assert (recorded.channel, recorded.status, recorded.staff_id) == ("email", "open", manager)
    inquiry = (await office.manager.get(f"/inquiries/{mail_id}")).json()
    assert inquiry["name"] and inquiry["items"] == []
    assert recorded.staff_id != colleague


async def test_a_strangers_letter_goes_to_the_first_who_serves_clients(office: Office) -> None:
    await hire(office)
    (recorded,) = await office.orders.published(InquiryRecorded, inquiry_id=await write(office))
    assert recorded.staff_id is not None
    assert (await office.manager.get(f"/inquiries/{recorded.inquiry_id}")).json()["name"] is None


@pytest.mark.clause("CALL-12")
async def test_an_answer_stops_the_clock_and_the_inquiry_stays_open(office: Office) -> None:
    manager = await hire(office)
    mail_id = await write(office)
    answered_at = now() + timedelta(minutes=3)
    body = {"mail_id": mail_id, "thread_id": mail_id, "staff_id": manager, "answered_at": answered_at}
    await office.orders.deliver(MailAnswered.model_validate(event(office, **body)))
    (recorded,) = await office.orders.published(InquiryStatusChanged, inquiry_id=mail_id)
    assert (recorded.status, recorded.staff_id) == ("open", manager)
