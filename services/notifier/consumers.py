"""Consumers of `notifier`: projections, obligations, letters."""

import hashlib
import json
from datetime import timedelta
from functools import cache

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.commands.apply_event import apply_event, lock_key, reassign
from services.notifier.delivery.commands import letters
from services.notifier.inbound.commands import end_inquiry
from services.notifier.people.models.projections import Calendar, Client, Office, StaffMember
from services.notifier.settings import NotifierSettings
from shared.base.clock import now
from shared.contracts import billing, clients, control, orders, vin
from shared.messaging import Consumers, project

consumers = Consumers("notifier")


@cache
def settings() -> NotifierSettings:
    """Return the settings, read with the first event, when the process's environment is complete."""
    return NotifierSettings()


def _merge_pause() -> timedelta:
    return timedelta(seconds=settings().merge_seconds)


@consumers.on(control.OfficeChanged)
async def project_office(event: control.OfficeChanged, session: AsyncSession) -> None:
    """ORG-01.  Deadlines already computed keep the calendar they were computed with."""
    body = event.calendar.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    await session.execute(insert(Calendar).values(digest=digest, body=body).on_conflict_do_nothing())
    values = event.model_dump(include={"name", "city", "address", "time_zone", "phones", "email", "active"})
    values |= {"calendar": body, "calendar_digest": digest}
    await project(session, Office, {"office_id": event.office_id}, version=event.version, values=values)


@consumers.on(control.StaffChanged)
async def project_staff(event: control.StaffChanged, session: AsyncSession) -> None:
    """ORG-02: whom the ladder reaches."""
    values = event.model_dump(include={"office_id", "full_name", "role", "email", "phone", "active"})
    await project(session, StaffMember, {"staff_id": event.staff_id}, version=event.version, values=values)


@consumers.on(clients.ClientRegistered, serialize_by=lock_key)
async def on_registration(event: clients.ClientRegistered, session: AsyncSession) -> None:
    """CALL-01."""
    await _project_client(session, event)
    await apply_event(session, event, at=now())


@consumers.on(clients.ClientChanged, serialize_by=lock_key)
async def on_client_change(event: clients.ClientChanged, session: AsyncSession) -> None:
    """CL-06, CL-10."""
    former = await session.scalar(select(Client.manager_id).where(Client.client_id == event.client_id))
    newer = await _project_client(session, event)
    await apply_event(session, event, at=now())
    if newer and event.manager_id != former:  # Otherwise a new telephone number would undo a senior's assignment.
        await reassign(session, event.client_id, event.manager_id, at=now())


@consumers.on(clients.EmailConfirmationRequested)
async def on_email_confirmation(event: clients.EmailConfirmationRequested, session: AsyncSession) -> None:
    """CL-07."""
    await letters.email_confirmation(session, event, now())


@consumers.on(clients.ContactsRequested, serialize_by=lock_key)
async def on_contacts_requested(event: clients.ContactsRequested, session: AsyncSession) -> None:
    """CL-06."""
    await apply_event(session, event, at=now())
    await letters.contacts_request(session, event, now(), settings().public_url)


@consumers.on(clients.ContactsCorrected, serialize_by=lock_key)
async def on_contacts_corrected(event: clients.ContactsCorrected, session: AsyncSession) -> None:
    """CL-06."""
    await apply_event(session, event, at=now())


@consumers.on(clients.CallLogged, serialize_by=lock_key)
async def on_call(event: clients.CallLogged, session: AsyncSession) -> None:
    """CALL-01…03, 06, ORD-04, BILL-06; the first attempt sends LET-01."""
    await apply_event(session, event, at=now())
    if event.first_attempt:
        await letters.information_letter(session, event, now(), settings().public_url)


@consumers.on(orders.OrderPlaced, serialize_by=lock_key)
async def on_order(event: orders.OrderPlaced, session: AsyncSession) -> None:
    """CALL-06, ORD-04…07."""
    await apply_event(session, event, at=now())


@consumers.on(orders.ApplicabilityChecked, serialize_by=lock_key)
async def on_check(event: orders.ApplicabilityChecked, session: AsyncSession) -> None:
    """ORD-06, and K18: the 20 minutes of a paid order begin."""
    await apply_event(session, event, at=now())
    await letters.check_result(session, event, now())


@consumers.on(orders.OrderProcessed, serialize_by=lock_key)
async def on_processed(event: orders.OrderProcessed, session: AsyncSession) -> None:
    """ORD-05, ORD-07."""
    await apply_event(session, event, at=now())


@consumers.on(orders.PositionRemoved)
async def on_removal(event: orders.PositionRemoved, session: AsyncSession) -> None:
    """ORD-07, ORD-08."""
    await letters.position_removed(session, event, now(), _merge_pause())


@consumers.on(orders.PositionRefused)
async def on_refusal(event: orders.PositionRefused, session: AsyncSession) -> None:
    """BILL-03, ORD-13."""
    await letters.position_refused(session, event, now(), _merge_pause())


@consumers.on(orders.GoodsReady)
async def on_goods_ready(event: orders.GoodsReady, session: AsyncSession) -> None:
    """NTF-02."""
    await letters.goods_ready(session, event, now())


@consumers.on(orders.PurchaseOrderSent)
async def on_purchase_order(event: orders.PurchaseOrderSent, session: AsyncSession) -> None:
    """«Заказ поставщику»."""
    await letters.purchase_order_to_supplier(session, event, now())


@consumers.on(orders.ClaimOpened, serialize_by=lock_key)
async def on_claim(event: orders.ClaimOpened, session: AsyncSession) -> None:
    """RET-08."""
    await apply_event(session, event, at=now())


@consumers.on(orders.ClaimDecided, serialize_by=lock_key)
async def on_claim_decision(event: orders.ClaimDecided, session: AsyncSession) -> None:
    """RET-08."""
    await apply_event(session, event, at=now())
    await letters.claim_decision(session, event, now())


@consumers.on(orders.InquiryRecorded, serialize_by=lock_key)
async def on_inquiry(event: orders.InquiryRecorded, session: AsyncSession) -> None:
    """CALL-12, INQ-06."""
    await apply_event(session, event, at=now())


@consumers.on(orders.InquiryStatusChanged, serialize_by=lock_key)
async def on_inquiry_status(event: orders.InquiryStatusChanged, session: AsyncSession) -> None:
    """CALL-12, INQ-06.  An inquiry by e-mail bears its letter's id; a mark (INQ-05) answers nobody."""
    if event.conversation:
        await apply_event(session, event, at=now())
        await end_inquiry(session, event.inquiry_id, at=event.occurred_at)


@consumers.on(vin.VinRequestSubmitted, serialize_by=lock_key)
async def on_vin_request(event: vin.VinRequestSubmitted, session: AsyncSession) -> None:
    """VIN-05, NTF-01."""
    await apply_event(session, event, at=now())
    await letters.new_vin_request(session, event, now(), settings().public_url)


@consumers.on(vin.VinRequestAnswered, serialize_by=lock_key)
async def on_vin_answer(event: vin.VinRequestAnswered, session: AsyncSession) -> None:
    """VIN-04, VIN-05."""
    await apply_event(session, event, at=now())
    await letters.vin_answer(session, event, now(), settings().public_url)


@consumers.on(billing.InvoiceIssued, serialize_by=lock_key)
async def on_invoice(event: billing.InvoiceIssued, session: AsyncSession) -> None:
    """BILL-06."""
    await apply_event(session, event, at=now())


@consumers.on(billing.InvoicePaid, serialize_by=lock_key)
async def on_invoice_paid(event: billing.InvoicePaid, session: AsyncSession) -> None:
    """BILL-06."""
    await apply_event(session, event, at=now())


@consumers.on(billing.OrderPaid, serialize_by=lock_key)
async def on_order_paid(event: billing.OrderPaid, session: AsyncSession) -> None:
    """ORD-04…06."""
    await apply_event(session, event, at=now())


@consumers.on(billing.RefundMade)
async def on_refund(event: billing.RefundMade, session: AsyncSession) -> None:
    """BILL-03."""
    await letters.refund(session, event, now(), _merge_pause())


async def _project_client(session: AsyncSession, event: clients.ClientRegistered | clients.ClientChanged) -> bool:
    """Copy the client's card and return whether it was newer; a registration that arrives after a change is older."""
    fields = {
        "office_id",
        "full_name",
        "name_verified",
        "organization_name",
        "phone",
        "email",
        "time_zone",
        "manager_id",
        "consents",
        "active",
    }
    values = event.model_dump(include=fields)
    return await project(session, Client, {"client_id": event.client_id}, version=event.version, values=values)
