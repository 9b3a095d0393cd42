"""Gather and freeze the data of printed documents; the PDF is drawn when it is downloaded (BILL-05, ORD-11)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.domain.documents.data import (
    Bank,
    ContractDocument,
    Document,
    DocumentKind,
    Line,
    Party,
    RefundApplicationDocument,
    Seller,
    WaybillDocument,
)
from services.billing.domain.documents.render import LAYOUT
from services.billing.domain.money import vat_rate_on
from services.billing.models.documents import Counter, Payer, PrintedDocument
from services.billing.models.projections import Client, Office, Order, Position
from shared.base.errors import Conflict, NotFound
from shared.contracts.orders import ClaimDecided, GoodsIssued
from shared.persistence.database import new_id


async def make_waybill(session: AsyncSession, event: GoodsIssued) -> None:
    """Make the «расходная накладная» of a shipment, in two copies (ORD-10)."""
    client = await _known_client(session, event.client_id)
    day = await office_day(session, event.office_id, event.issued_at)
    numbers = await session.scalars(
        select(Order.number).where(Order.order_id.in_(event.order_ids)).order_by(Order.number)
    )
    document = WaybillDocument(
        number=event.number,
        day=day,
        seller=await seller_on(session, event.office_id, day),
        buyer=buyer_party(client, None),
        order_numbers=list(numbers),
        lines=[
            Line(
                article=line.article,
                brand=line.brand,
                description=line.description,
                quantity=line.quantity,
                price=line.sale_price,
                amount=line.amount,
            )
            for line in event.positions
        ],
    )
    await store_document(
        session,
        "waybill",
        document,
        client=client,
        reference=str(event.shipment_id),
        at=event.issued_at,
        order_id=event.order_ids[0] if len(event.order_ids) == 1 else None,
        shipment_id=event.shipment_id,
    )


async def make_refund_application(session: AsyncSession, event: ClaimDecided) -> None:
    """Make the «Заявление на возврат» of a decided claim (RET-02, RET-03, RET-04, RET-05, RET-06)."""
    client = await _known_client(session, event.client_id)
    day = await office_day(session, event.office_id, event.decided_at)
    order_number = await session.scalar(select(Order.number).where(Order.order_id == event.order_id))
    document = RefundApplicationDocument(
        number=event.number,
        day=day,
        seller=await seller_on(session, event.office_id, day),
        applicant=buyer_party(client, None),
        order_number=order_number,
        line=Line(
            article=event.article,
            brand=event.brand,
            description=event.description,
            quantity=event.quantity,
            price=event.refund / event.quantity,
            amount=event.refund,
        ),
        refund=event.refund,
        reason=event.reason,
        keeps_goods=event.decision == "kept",
    )
    await store_document(
        session,
        "refund_application",
        document,
        client=client,
        reference=str(event.claim_id),
        at=event.decided_at,
        order_id=event.order_id,
        claim_id=event.claim_id,
    )


async def make_contract(
    session: AsyncSession, order_id: UUID, payer_id: UUID | None, *, at: datetime
) -> PrintedDocument:
    """Make the «Договор» of an order in two copies, a new one each time (ORD-11).  Raises NotFound, Conflict."""
    order = await session.get(Order, order_id)
    if order is None:
        raise NotFound("Заказ не найден.")
    client = await _known_client(session, order.client_id)
    payer = await session.get(Payer, payer_id) if payer_id else None
    if payer_id and (payer is None or payer.client_id != client.client_id):
        raise NotFound("Плательщик не найден.")
    day = await office_day(session, order.office_id, at)
    document = ContractDocument(
        number=await next_number(session, order.office_id, "contract", day.year),
        day=day,
        seller=await seller_on(session, order.office_id, day),
        buyer=buyer_party(client, payer),
        buyer_bank=_payer_bank(payer),
        order_number=order.number,
        vehicle=order.vehicle,
        lines=await order_lines(session, order_id),
    )
    return await store_document(
        session, "contract", document, client=client, reference=str(new_id()), at=at, order_id=order_id
    )


async def store_document(
    session: AsyncSession,
    kind: DocumentKind,
    document: Document,
    *,
    client: Client,
    reference: str,
    at: datetime,
    **links: UUID | None,
) -> PrintedDocument:
    """Freeze a document; `kind` and `reference` identify it."""
    kept = PrintedDocument(
        id=new_id(),
        office_id=client.office_id,
        client_id=client.client_id,
        kind=kind,
        reference=reference,
        number=document.number,
        day=document.day,
        layout=LAYOUT,
        data=document.model_dump(mode="json"),
        made_at=at,
        **links,
    )
    session.add(kept)
    await session.flush()
    return kept


async def next_number(session: AsyncSession, office_id: UUID, kind: str, year: int) -> str:
    """Return the office's next number of the year, for example «42-2026»; the counter's row lock keeps it unique."""
    counted = insert(Counter).values(office_id=office_id, kind=kind, year=year, last=1)
    last = await session.scalar(
        counted.on_conflict_do_update(
            index_elements=["office_id", "kind", "year"], set_={"last": Counter.last + 1}
        ).returning(Counter.last)
    )
    return f"{last}-{year}"


async def office_day(session: AsyncSession, office_id: UUID, at: datetime) -> date:
    """Return the date in the time zone of the office.  Raises Conflict while the office is not projected."""
    return at.astimezone(ZoneInfo((await _office(session, office_id)).state.time_zone)).date()


async def seller_on(session: AsyncSession, office_id: UUID, day: date) -> Seller:
    """Return the office's legal entity with the VAT rate of the day.

    Raises Conflict while the office is not projected.
    """
    office = (await _office(session, office_id)).state
    requisites = office.requisites
    account = office.bank_accounts[0] if office.bank_accounts else None
    return Seller(
        name=requisites.legal_name,
        inn=requisites.inn,
        kpp=requisites.kpp,
        address=requisites.legal_address,
        phone=office.phones[0] if office.phones else None,
        office_name=office.name,
        office_address=f"{office.city}, {office.address}",
        ogrn=requisites.ogrn,
        email=office.email,
        city=office.city,
        director_name=requisites.director_name,
        accountant_name=requisites.accountant_name,
        bank=Bank(
            name=account.bank_name,
            bic=account.bic,
            account=account.account,
            correspondent_account=account.correspondent_account,
        )
        if account
        else None,
        vat_rate=vat_rate_on(day, office.vat),
    )


def buyer_party(client: Client, payer: Payer | None) -> Party:
    """Return the payer as the buyer, else the client: a legal entity by its organisation's name (CL-04)."""
    if payer is not None:
        return Party(name=payer.name, inn=payer.inn, kpp=payer.kpp, address=payer.address)
    return Party(name=client.organization_name or client.full_name, phone=client.phone)


async def order_lines(session: AsyncSession, order_id: UUID) -> list[Line]:
    """Return the live positions of an order as lines of a document."""
    query = select(Position).where(Position.order_id == order_id, Position.due > 0).order_by(Position.line)
    lines = []
    for position in await session.scalars(query):
        # Pieces that were removed since are left out of the quantity.
        quantity = int(position.due / position.sale_price) or position.quantity
        values: dict[str, Any] = {"article": position.article, "brand": position.brand}
        lines.append(
            Line(
                **values,
                description=position.description,
                quantity=quantity,
                price=position.sale_price,
                amount=position.due,
            )
        )
    return lines


def _payer_bank(payer: Payer | None) -> Bank | None:
    if payer is None or payer.account is None or payer.bic is None:
        return None
    return Bank(
        name=payer.bank_name or "",
        bic=payer.bic,
        account=payer.account,
        correspondent_account=payer.correspondent_account,
    )


async def _office(session: AsyncSession, office_id: UUID) -> Office:
    office = await session.get(Office, office_id)
    if office is None:
        raise Conflict("Реквизиты офиса ещё не получены, повторите через минуту.")
    return office


async def _known_client(session: AsyncSession, client_id: UUID) -> Client:
    client = await session.get(Client, client_id)
    if client is None:
        raise Conflict("Карточка клиента ещё не получена, повторите через минуту.")
    return client
