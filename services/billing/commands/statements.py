"""Bank statements: book recognised payments, keep the others for a person to assign (BILL-03)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.billing.commands.payments import find_client, receive
from services.billing.domain.statement import IncomingPayment, StatementError, decode, incoming_payments
from services.billing.models.documents import Invoice, Payer
from services.billing.models.money import StatementLine
from services.billing.models.projections import Client, Office
from services.billing.schemas.statements import AssignLine, StatementOut
from shared.base.errors import Conflict, Invalid, NotFound
from shared.identity.roles import Principal
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit
from shared.web import check_version


async def upload_statement(
    session: AsyncSession, content: bytes, *, office_id: UUID, caller: Principal, at: datetime
) -> StatementOut:
    """Book the payments that the invoice's number or the payer identifies.

    The same document counts once, in however many statements it stands.  Raises Invalid, Conflict.
    """
    office = await session.get(Office, office_id)
    if office is None:
        raise Conflict("Реквизиты офиса ещё не получены, повторите через минуту.")
    accounts = {account.account for account in office.state.bank_accounts}
    try:
        payments = incoming_payments(decode(content), accounts)
    except StatementError as error:
        raise Invalid(str(error), field="body") from error
    await lock_until_commit(session, f"statement/{office_id}")
    matched = unmatched = repeated = 0
    for payment in payments:
        line = await _store_line(session, payment, office_id, caller, at)
        if line is None:
            repeated += 1
            continue
        client, invoice = await _recognise(session, payment, office_id)
        if client is None:
            unmatched += 1
            continue
        await _book_line(session, line, client, invoice, at)
        matched += 1
    details = {"matched": matched, "unmatched": unmatched, "repeated": repeated}
    await audit(session, "statement.uploaded", subject=f"office/{office_id}", office_id=office_id, details=details)
    return StatementOut(matched=matched, unmatched=unmatched, repeated=repeated)


async def assign_line(
    session: AsyncSession, line_id: UUID, body: AssignLine, *, expected: int, at: datetime
) -> StatementLine:
    """Book a payment for the client whom a person has named.  Raises NotFound, Conflict, PreconditionFailed."""
    line = await session.get(StatementLine, line_id, with_for_update=True)
    if line is None:
        raise NotFound("Такой строки выписки нет.")
    check_version(line.version, expected)
    if line.payment_id is not None:
        raise Conflict("Этот платёж уже зачислен.")
    client = await find_client(session, body.client_id, office_id=line.office_id)
    invoice = await session.get(Invoice, body.invoice_id) if body.invoice_id else None
    if body.invoice_id and (invoice is None or invoice.client_id != client.client_id):
        raise NotFound("Счёт не найден.")
    await _book_line(session, line, client, invoice, at)
    subject = f"statement_line/{line.id}"
    await audit(session, "statement_line.assigned", subject=subject, office_id=line.office_id)
    return line


async def _store_line(
    session: AsyncSession, payment: IncomingPayment, office_id: UUID, caller: Principal, at: datetime
) -> StatementLine | None:
    """Store an incoming payment; return None when the bank's document is known already."""
    values = {
        "id": new_id(),
        "office_id": office_id,
        "external_id": payment.external_id,
        "number": payment.number,
        "day": payment.day,
        "payer_name": payment.payer_name,
        "payer_inn": payment.payer_inn,
        "payer_account": payment.payer_account,
        "purpose": payment.purpose,
        "amount": payment.amount,
        "state": "unmatched",
        "uploaded_at": at,
        "uploaded_by": caller.id,
        "version": 1,
    }
    kept = insert(StatementLine).values(**values).on_conflict_do_nothing().returning(StatementLine)
    return (await session.scalars(kept)).one_or_none()


async def _recognise(
    session: AsyncSession, payment: IncomingPayment, office_id: UUID
) -> tuple[Client | None, Invoice | None]:
    """Find the client by the invoice's number in the purpose, else by a payer that one client alone has."""
    if payment.invoice_number is not None:
        query = select(Invoice).where(Invoice.office_id == office_id, Invoice.number == payment.invoice_number)
        invoice = await session.scalar(query)
        if invoice is not None:
            return await session.get(Client, invoice.client_id), invoice
    if payment.payer_inn is not None and payment.payer_account is not None:
        payers = select(Payer.client_id).where(
            Payer.office_id == office_id, Payer.inn == payment.payer_inn, Payer.account == payment.payer_account
        )
        owners = set(await session.scalars(payers))
        if len(owners) == 1:
            return await session.get(Client, owners.pop()), None
    return None, None


async def _book_line(
    session: AsyncSession, line: StatementLine, client: Client, invoice: Invoice | None, at: datetime
) -> None:
    payment = await receive(
        session,
        client,
        amount=line.amount,
        method="bank_transfer",
        source="bank",
        external_id=f"{line.office_id} {line.external_id}",
        invoice=invoice,
        order_id=invoice.order_id if invoice else None,
        taken_by=None,
        at=at,
    )
    line.state, line.payment_id, line.version = "matched", payment.id, line.version + 1
    await session.flush()
