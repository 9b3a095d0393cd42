"""Payers of a client and invoices for prepayment (BILL-01, BILL-02)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.commands.documents import (
    buyer_party,
    next_number,
    office_day,
    order_lines,
    seller_on,
    store_document,
)
from services.billing.commands.money import unpaid_rest
from services.billing.commands.payments import find_client
from services.billing.domain.documents.data import InvoiceDocument, Line
from services.billing.domain.ledger import ZERO
from services.billing.models.documents import Invoice, Payer
from services.billing.models.projections import Client, Order
from services.billing.schemas.documents import IssueInvoice
from services.billing.schemas.payers import NewPayer, PayerChanges
from shared.base.errors import BusinessError, Conflict, Invalid, NotFound
from shared.contracts.billing import InvoiceIssued
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.web import check_version


class NothingToPay(BusinessError):
    """The order is covered already."""

    code = "nothing-to-pay"
    title = "Платить нечего"


async def add_payer(session: AsyncSession, body: NewPayer) -> Payer:
    """Add a payer to a client.  Raises NotFound."""
    client = await find_client(session, body.client_id)
    payer = Payer(id=new_id(), office_id=client.office_id, active=True, **body.model_dump())
    session.add(payer)
    await session.flush()
    return payer


async def change_payer(session: AsyncSession, payer_id: UUID, body: PayerChanges, *, expected: int) -> Payer:
    """Change a payer; documents made before keep what they printed.  Raises NotFound, PreconditionFailed, Invalid."""
    payer = await session.get(Payer, payer_id)
    if payer is None:
        raise NotFound("Плательщик не найден.")
    check_version(payer.version, expected)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(payer, name, value)
    if (payer.account is None) != (payer.bic is None):
        raise Invalid("Расчётный счёт и БИК указываются вместе.", field="account")
    await session.flush()
    return payer


async def issue_invoice(session: AsyncSession, body: IssueInvoice, *, caller: Principal, at: datetime) -> Invoice:
    """Issue an invoice: the payer is filled in when the client has just one, the sum when an order is named.

    Raises NotFound, Invalid, NothingToPay, Conflict (the office has no requisites yet).
    """
    client = await find_client(session, body.client_id)
    payer = await _payer(session, client, body.payer_id)
    order = None
    if body.order_id is not None:
        order = await session.get(Order, body.order_id)
        if order is None or order.client_id != client.client_id:
            raise NotFound("Заказ не найден.")
    amount = body.amount
    if amount is None:
        if order is None:
            raise Invalid("Укажите сумму или заказ.", field="amount")
        amount = await unpaid_rest(session, order.order_id)
        if amount <= ZERO:
            raise NothingToPay(f"Заказ № {order.number} уже оплачен.")
    day = await office_day(session, client.office_id, at)
    seller = await seller_on(session, client.office_id, day)
    if seller.bank is None:
        raise Conflict("У офиса нет банковского счёта: головной офис указывает его в реквизитах.")
    number = await next_number(session, client.office_id, "invoice", day.year)
    lines = await order_lines(session, order.order_id) if order else []
    invoice_id = new_id()
    document = await store_document(
        session,
        "invoice",
        InvoiceDocument(
            number=number,
            day=day,
            seller=seller,
            buyer=buyer_party(client, payer),
            order_number=order.number if order else None,
            lines=lines or [Line(description="Предоплата за автозапчасти", quantity=1, price=amount, amount=amount)],
            amount=amount,
        ),
        client=client,
        reference=str(invoice_id),
        at=at,
        order_id=body.order_id,
        invoice_id=invoice_id,
    )
    invoice = Invoice(
        id=invoice_id,
        office_id=client.office_id,
        client_id=client.client_id,
        number=number,
        day=day,
        payer_id=payer.id if payer else None,
        order_id=body.order_id,
        amount=amount,
        paid=ZERO,
        issued_at=at,
        issued_by=caller.id,
        document_id=document.id,
    )
    session.add(invoice)
    await session.flush()
    fact = InvoiceIssued(
        office_id=invoice.office_id,
        version=invoice.version,
        occurred_at=at,
        invoice_id=invoice.id,
        number=number,
        order_id=body.order_id,
        client_id=client.client_id,
        amount=amount,
        issued_at=at,
    )
    await publish(session, fact)
    await audit(session, "invoice.issued", subject=f"invoice/{invoice.id}", office_id=invoice.office_id)
    return invoice


async def _payer(session: AsyncSession, client: Client, payer_id: UUID | None) -> Payer | None:
    """Return the named payer, else the client's only one, else None: the client pays."""
    if payer_id is not None:
        payer = await session.get(Payer, payer_id)
        if payer is None or payer.client_id != client.client_id or not payer.active:
            raise NotFound("Плательщик не найден.")
        return payer
    query = select(Payer).where(Payer.client_id == client.client_id, Payer.active).limit(2)
    payers = (await session.scalars(query)).all()
    if len(payers) > 1:
        raise Invalid("У клиента несколько плательщиков, выберите одного.", field="payer_id")
    return payers[0] if payers else None
