"""Receive and return money: cash desk, acquirer, bank (BILL-03, BILL-07).

A payment may be partial, excessive or repeated.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.commands.money import book, hold_for_orders, lock_account
from services.billing.domain import ledger
from services.billing.domain.ledger import EntryKind
from services.billing.models.documents import Invoice
from services.billing.models.money import Payment, Payout, Receipt
from services.billing.models.projections import Client, Order
from services.billing.schemas.money import AcquirerNotice, PayOut, TakePayment
from shared.base.errors import BusinessError, Conflict, Invalid, NotFound
from shared.contracts.billing import InvoicePaid, PaymentMethod, PaymentReceived, ReceiptRequested
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit

METHOD_LABELS = {
    "cash": "наличные",
    "card": "карта в офисе",
    "acquiring": "интернет-эквайринг",
    "bank_transfer": "банковский перевод",
}


class PaymentRepeated(BusinessError):
    """The payment's source and external id are booked already."""

    code = "payment-repeated"
    title = "Платёж уже учтён"


class NotEnoughMoney(BusinessError):
    """More was asked for than the balance has available."""

    code = "not-enough-money"
    title = "Недостаточно средств на балансе"


async def take_payment(session: AsyncSession, body: TakePayment, *, caller: Principal, at: datetime) -> Payment:
    """Book cash or a card at the cash desk (BILL-03).  Raises NotFound, Invalid."""
    client, invoice, order_id = await _addressee(session, body.client_id, body.invoice_id, body.order_id)
    payment = await receive(
        session,
        client,
        amount=body.amount,
        method=body.method,
        source="cash_desk",
        external_id=str(new_id()),
        invoice=invoice,
        order_id=order_id,
        taken_by=caller.id,
        at=at,
    )
    details = {"method": body.method, "amount": str(body.amount)}
    await audit(session, "payment.taken", subject=f"payment/{payment.id}", office_id=client.office_id, details=details)
    return payment


async def take_acquirer_notice(session: AsyncSession, body: AcquirerNotice, *, at: datetime) -> Payment:
    """Book a verified notice of the acquirer; a repeated one returns the payment of the first.

    Raises NotFound, Invalid, and PaymentRepeated when a known event id comes with another amount.
    """
    known = select(Payment).where(Payment.source == "acquirer", Payment.external_id == body.event_id)
    payment = await session.scalar(known)
    if payment is None:
        client, invoice, order_id = await _addressee(
            session, body.client_id, body.invoice_id, body.order_id, office_id=body.office_id
        )
        try:
            return await receive(
                session,
                client,
                amount=body.amount,
                method="acquiring",
                source="acquirer",
                external_id=body.event_id,
                invoice=invoice,
                order_id=order_id,
                taken_by=None,
                at=at,
            )
        except PaymentRepeated:
            # A concurrent copy of this notice has committed; nothing of this one is booked.
            payment = (await session.scalars(known)).one()
    if payment.amount != body.amount or payment.office_id != body.office_id:
        raise PaymentRepeated("Это событие уже учтено с другой суммой или для другого офиса.")
    return payment


async def receive(
    session: AsyncSession,
    client: Client,
    *,
    amount: Decimal,
    method: PaymentMethod,
    source: str,
    external_id: str,
    invoice: Invoice | None,
    order_id: UUID | None,
    taken_by: UUID | None,
    at: datetime,
) -> Payment:
    """Book a payment, mark invoices, hold the money for orders and ask the till for a receipt (BILL-07).

    What exceeds the orders stays on the balance.  Raises PaymentRepeated.
    """
    account = await lock_account(session, client.office_id, client.client_id)
    values = {
        "id": new_id(),
        "office_id": client.office_id,
        "client_id": client.client_id,
        "order_id": order_id,
        "invoice_id": invoice.id if invoice else None,
        "method": method,
        "source": source,
        "external_id": external_id,
        "amount": amount,
        "received_at": at,
        "taken_by": taken_by,
    }
    stored = insert(Payment).values(**values).on_conflict_do_nothing().returning(Payment)
    payment = (await session.scalars(stored)).one_or_none()
    if payment is None:
        raise PaymentRepeated("Этот платёж уже учтён.")
    await book(
        session,
        account,
        EntryKind.PAYMENT,
        ledger.payment(method, amount),
        reference=f"payment/{payment.id}",
        text=f"Оплата: {METHOD_LABELS[method]}",
        at=at,
        order_id=order_id,
    )
    fact = PaymentReceived(
        office_id=client.office_id,
        version=1,
        occurred_at=at,
        payment_id=payment.id,
        client_id=client.client_id,
        order_id=order_id,
        invoice_id=payment.invoice_id,
        method=method,
        amount=amount,
        received_at=at,
    )
    await publish(session, fact)
    await _mark_invoices(session, payment, at)
    await hold_for_orders(session, account, first=order_id, others=True, at=at)
    await _request_receipt(session, client, "sale", method, amount, payment_id=payment.id, at=at)
    return payment


async def pay_out(session: AsyncSession, body: PayOut, *, caller: Principal, at: datetime) -> Payout:
    """Return money of the balance to the client's card, account or hand (BILL-03).

    Money held for orders cannot be paid out.  Raises NotFound, NotEnoughMoney.
    """
    client = await find_client(session, body.client_id)
    account = await lock_account(session, client.office_id, client.client_id)
    if account.available < body.amount:
        raise NotEnoughMoney(f"Свободно на балансе {account.available:.2f} руб.", available=str(account.available))
    payout = Payout(
        id=new_id(),
        office_id=client.office_id,
        client_id=client.client_id,
        method=body.method,
        amount=body.amount,
        reason=body.reason,
        paid_at=at,
        paid_by=caller.id,
    )
    session.add(payout)
    await book(
        session,
        account,
        EntryKind.PAYOUT,
        ledger.payout(body.method, body.amount),
        reference=f"payout/{payout.id}",
        text=f"Выплата: {METHOD_LABELS[body.method]}. {body.reason}",
        at=at,
    )
    await _request_receipt(session, client, "refund", body.method, body.amount, payment_id=None, at=at)
    details = {"method": body.method, "amount": str(body.amount)}
    await audit(session, "money.paid_out", subject=f"payout/{payout.id}", office_id=client.office_id, details=details)
    return payout


async def find_client(session: AsyncSession, client_id: UUID, *, office_id: UUID | None = None) -> Client:
    """Return a client.  Raises NotFound, also for a client of another office than the one named."""
    client = await session.get(Client, client_id)
    if client is None or office_id not in (None, client.office_id):
        raise NotFound("Клиент не найден.")
    return client


async def _addressee(
    session: AsyncSession,
    client_id: UUID | None,
    invoice_id: UUID | None,
    order_id: UUID | None,
    *,
    office_id: UUID | None = None,
) -> tuple[Client, Invoice | None, UUID | None]:
    """Return whose money it is: an invoice names its client and order.  Raises NotFound, Invalid."""
    invoice = None
    if invoice_id is not None:
        invoice = await session.get(Invoice, invoice_id)
        if invoice is None or client_id not in (None, invoice.client_id):
            raise NotFound("Счёт не найден.")
        if order_id not in (None, invoice.order_id):
            raise Invalid("Счёт выставлен на другой заказ.", field="order_id")
        client_id, order_id = invoice.client_id, invoice.order_id
    if client_id is None:
        raise Invalid("Укажите клиента или счёт.", field="client_id")
    client = await find_client(session, client_id, office_id=office_id)
    if order_id is not None:
        order = await session.get(Order, order_id)
        if order is None or order.client_id != client_id:
            raise NotFound("Заказ не найден.")
    return client, invoice, order_id


async def _mark_invoices(session: AsyncSession, payment: Payment, at: datetime) -> None:
    """Divide the payment among invoices: the named one first, then the order's, then the client's oldest."""
    unpaid = (
        select(Invoice)
        .where(Invoice.client_id == payment.client_id, Invoice.paid < Invoice.amount)
        .order_by(
            (Invoice.id == payment.invoice_id).desc().nulls_last(),
            (Invoice.order_id == payment.order_id).desc().nulls_last(),
            Invoice.issued_at,
            Invoice.id,
        )
        .with_for_update()
    )
    left = payment.amount
    for invoice in await session.scalars(unpaid):
        share = min(left, invoice.amount - invoice.paid)
        if share <= 0:
            break
        invoice.paid += share
        left -= share
        await session.flush()
        if invoice.paid == invoice.amount:
            fact = InvoicePaid(
                office_id=invoice.office_id,
                version=invoice.version,
                occurred_at=at,
                invoice_id=invoice.id,
                number=invoice.number,
                order_id=invoice.order_id,
                client_id=invoice.client_id,
                amount=invoice.amount,
            )
            await publish(session, fact)


async def _request_receipt(
    session: AsyncSession,
    client: Client,
    operation: str,
    method: str,
    amount: Decimal,
    *,
    payment_id: UUID | None,
    at: datetime,
) -> None:
    """Ask the till for a fiscal receipt; a bank transfer between companies needs none."""
    if method == "bank_transfer":
        return
    receipt = Receipt(
        id=new_id(),
        office_id=client.office_id,
        client_id=client.client_id,
        operation=operation,
        method=method,
        amount=amount,
        payment_id=payment_id,
        requested_at=at,
    )
    session.add(receipt)
    await session.flush()
    fact = ReceiptRequested.model_validate(
        {
            "office_id": client.office_id,
            "version": 1,
            "occurred_at": at,
            "receipt_id": receipt.id,
            "client_id": client.client_id,
            "payment_id": payment_id,
            "operation": operation,
            "method": method,
            "amount": amount,
        }
    )
    await publish(session, fact)


async def register_receipt(session: AsyncSession, receipt_id: UUID, fiscal_number: str) -> Receipt:
    """Store the till's number of a receipt (BILL-07).  Raises NotFound, Conflict when another number is known."""
    receipt = await session.get(Receipt, receipt_id, with_for_update=True)
    if receipt is None:
        raise NotFound("Чек не найден.")
    if receipt.fiscal_number not in (None, fiscal_number):
        raise Conflict(f"У чека уже есть номер {receipt.fiscal_number}.")
    receipt.fiscal_number = fiscal_number
    await session.flush()
    return receipt
