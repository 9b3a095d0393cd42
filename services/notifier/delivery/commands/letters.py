"""Queue letters, SMS and cabinet messages to clients, offices and suppliers about events.

Clauses: CL-06, CL-07, CALL-02, LET-01, NTF-01, NTF-02, VIN-04, ORD-06, ORD-07, ORD-08, ORD-13, BILL-03, RET-08.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.delivery.commands.notices import About, Attachment, notify_client, queue_mail, queue_sms
from services.notifier.delivery.spreadsheet import MEDIA_TYPE, purchase_order
from services.notifier.people.models.projections import Office, StaffMember
from services.notifier.people.queries import get_client, get_office
from services.notifier.texts.rendering import money
from shared.contracts import billing, clients, orders, vin

PREFERENCES: Mapping[vin.Preference, str] = {
    "minimum_price": "Минимальная цена",
    "price_quality": "Цена/качество",
    "original_only": "Только оригинал",
}
REFUND_REASONS = {
    "refused": "поставщик отказал в поставке",
    "removed": "позиция снята с заказа",
    "claim": "решение по обращению",
}
DECISIONS = {"accepted": "возврат принят", "kept": "деталь остаётся у вас со скидкой", "rejected": "отказано"}


async def email_confirmation(session: AsyncSession, event: clients.EmailConfirmationRequested, at: datetime) -> None:
    """Ask the client to confirm the e-mail (CL-07); the card may arrive after this event and is not needed."""
    office = await get_office(session, event.office_id)
    context = {
        "client": {"full_name": event.full_name},
        "confirmation_url": event.confirmation_url,
        "expires_at": event.expires_at,
        "zone": office.time_zone,
    }
    await queue_mail(
        session,
        "email_confirmation",
        context,
        office=office,
        to=event.email,
        to_name=event.full_name,
        purpose="service",
        at=at,
        about=About("client", event.client_id),
    )


async def contacts_request(
    session: AsyncSession, event: clients.ContactsRequested, at: datetime, public_url: str
) -> None:
    """Ask the client for contacts and warn that the account will otherwise be disabled (CL-06)."""
    office = await get_office(session, event.office_id)
    context = {
        "client": {"full_name": event.full_name},
        "disable_at": event.disable_at,
        "public_url": public_url,
        "zone": office.time_zone,
    }
    await queue_mail(
        session,
        "contacts_request",
        context,
        office=office,
        to=event.email,
        to_name=event.full_name,
        purpose="service",
        at=at,
        about=About("client", event.client_id),
    )


async def information_letter(session: AsyncSession, event: clients.CallLogged, at: datetime, public_url: str) -> None:
    """Send the information letter (LET-01) right after the first attempt to call (CALL-02)."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    if not client.email:
        return
    manager = await session.get(StaffMember, client.manager_id or event.staff_id)
    full_name = event.client_name or client.full_name
    context = {
        "client": {"full_name": full_name},
        "public_url": public_url,
        "manager": manager and {"full_name": manager.full_name, "phone": manager.phone, "email": manager.email},
    }
    await queue_mail(
        session,
        "information_letter",
        context,
        office=office,
        to=client.email,
        to_name=full_name,
        purpose="service",
        at=at,
        client=client,
        about=About("client", client.client_id),
    )


async def new_vin_request(session: AsyncSession, event: vin.VinRequestSubmitted, at: datetime, public_url: str) -> None:
    """Notify the office's mailbox of a new VIN request (NTF-01)."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    context = {
        "number": event.number,
        "client": {"full_name": client.full_name, "phone": client.phone},
        "vehicle": _vehicle(event.vehicle),
        "preference": PREFERENCES[event.preference],
        "parts": [part.model_dump(mode="json") for part in event.parts],
        "public_url": public_url,
    }
    await queue_mail(
        session,
        "vin_request_office",
        context,
        office=office,
        to=office.email,
        to_name=office.name,
        purpose="staff",
        at=at,
        client=client,
        about=About("vin_request", event.request_id),
    )


async def vin_answer(session: AsyncSession, event: vin.VinRequestAnswered, at: datetime, public_url: str) -> None:
    """Put the answer into the cabinet, and into a letter where the manager asked for one (VIN-04)."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    context = {
        "number": event.number,
        "vehicle": _vehicle(event.vehicle),
        "corrected": event.answer_number > 1,
        "lines": [line.model_dump(mode="json") for line in event.lines],
        "public_url": public_url,
    }
    about = About("vin_request", event.request_id)
    by_mail = event.notify_client
    await notify_client(
        session, "vin_answer", context, office=office, client=client, about=about, at=at, by_mail=by_mail
    )


async def check_result(session: AsyncSession, event: orders.ApplicabilityChecked, at: datetime) -> None:
    """Report the result of the applicability check position by position (ORD-06)."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    context = {"number": event.number, "results": [result.model_dump(mode="json") for result in event.results]}
    about = About("order", event.order_id)
    await notify_client(session, "check_result", context, office=office, client=client, about=about, at=at)


async def position_removed(
    session: AsyncSession, event: orders.PositionRemoved, at: datetime, merge_pause: timedelta
) -> None:
    """Report removed positions of an order with the comment for the client (ORD-07, ORD-08), merged into one letter."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    position = {**_part(event), "amount": str(event.amount), "comment": event.comment}
    await notify_client(
        session,
        "positions_removed",
        {"number": event.order_number, "positions": [position]},
        office=office,
        client=client,
        about=About("order", event.order_id),
        at=at,
        merge=(f"removed/{event.order_id}", "positions"),
        merge_pause=merge_pause,
    )


async def position_refused(
    session: AsyncSession, event: orders.PositionRefused, at: datetime, merge_pause: timedelta
) -> None:
    """Report a final refusal (BILL-03); while the position can be ordered elsewhere (ORD-13) nothing is sent."""
    if not event.final:
        return
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    await notify_client(
        session,
        "position_refused",
        {"number": event.order_number, "positions": [{**_part(event), "amount": str(event.amount)}]},
        office=office,
        client=client,
        about=About("order", event.order_id),
        at=at,
        merge=(f"refused/{event.order_id}", "positions"),
        merge_pause=merge_pause,
    )


async def refund(session: AsyncSession, event: billing.RefundMade, at: datetime, merge_pause: timedelta) -> None:
    """Report that the money is on the client's balance (BILL-03)."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    await notify_client(
        session,
        "refund",
        {"refunds": [{"amount": str(event.amount), "reason": REFUND_REASONS[event.reason]}]},
        office=office,
        client=client,
        about=About("order", event.order_id),
        at=at,
        merge=(f"refund/{event.order_id}", "refunds"),
        merge_pause=merge_pause,
    )


async def claim_decision(session: AsyncSession, event: orders.ClaimDecided, at: datetime) -> None:
    """Report the decision on a claim.  Clauses: RET-02, RET-03, RET-04, RET-05, RET-06, RET-08."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    refunded = event.refund > Decimal(0)
    context = {
        "number": event.number,
        "part": f"{event.brand} {event.article}, {event.description}",
        "decision": DECISIONS[event.decision],
        "reason": event.reason,
        "refund_text": f"На ваш баланс возвращается {money(event.refund)}." if refunded else "",
        "discount_text": _discount(event),
    }
    about = About("claim", event.claim_id)
    await notify_client(session, "claim_decision", context, office=office, client=client, about=about, at=at)


async def goods_ready(session: AsyncSession, event: orders.GoodsReady, at: datetime) -> None:
    """Report goods that are ready by SMS and in the cabinet (NTF-02); a client without a phone gets a mail."""
    office, client = await get_office(session, event.office_id), await get_client(session, event.client_id)
    about = About("order", event.order_id)
    context: dict[str, Any] = {"number": event.number, "complete": event.complete}
    await queue_sms(
        session, "order_ready_sms", context, office=office, client=client, purpose="service", at=at, about=about
    )
    context["positions"] = [position.model_dump(mode="json") for position in event.positions]
    by_mail = not client.phone
    await notify_client(
        session, "order_ready", context, office=office, client=client, about=about, at=at, by_mail=by_mail
    )


async def purchase_order_to_supplier(session: AsyncSession, event: orders.PurchaseOrderSent, at: datetime) -> None:
    """Send the purchase order to the supplier, with the spreadsheet."""
    office: Office = await get_office(session, event.office_id)
    context = {
        "number": event.number,
        "again": event.sending > 1,
        "lines": [line.model_dump(mode="json") for line in event.lines],
        "total": str(event.total),
    }
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in event.number)
    table = Attachment(f"zakaz-{name}.xlsx", MEDIA_TYPE, purchase_order(event.number, office.name, event.lines))
    await queue_mail(
        session,
        "purchase_order",
        context,
        office=office,
        to=event.supplier_email,
        to_name=event.supplier_name,
        purpose="supplier",
        at=at,
        attachments=[table],
    )


def _vehicle(vehicle: clients.Vehicle) -> str:
    """Return «Toyota Corolla 2008, VIN …»."""
    model = " ".join(str(part) for part in (vehicle.make, vehicle.model, vehicle.year) if part)
    number = f"VIN {vehicle.vin}" if vehicle.vin else f"FRAME {vehicle.frame}" if vehicle.frame else ""
    return ", ".join(part for part in (model, number) if part) or "не указан"


def _part(event: orders.PositionRemoved | orders.PositionRefused) -> dict[str, Any]:
    return {"brand": event.brand, "article": event.article, "description": event.description}


def _discount(event: orders.ClaimDecided) -> str:
    if not event.next_discount_percent:
        return ""
    scope = "следующий заказ" if event.discount_scope == "next_order" else "все следующие заказы"
    return f"Скидка {event.next_discount_percent} % на {scope}."
