"""Payments, balances, the ledger, bank statements and receipts."""

import hashlib
import hmac
import time
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Header, Query, Request, Response

from services.billing.commands import payments, statements
from services.billing.models.money import LedgerEntry, Payment, Receipt, StatementLine
from services.billing.queries import money as queries
from services.billing.schemas.money import (
    AcquirerNotice,
    BalanceOut,
    EntryOut,
    PaymentOut,
    PayOut,
    PayoutOut,
    ReceiptOut,
    RegisterReceipt,
    TakePayment,
)
from services.billing.schemas.statements import AssignLine, StatementLineOut, StatementOut
from shared.base.clock import now
from shared.base.errors import Unauthenticated
from shared.identity.roles import EVERYONE, OFFICE_STAFF, SENIORS, STAFF, Role
from shared.web import (
    NO_IDEMPOTENCY_KEY,
    Caller,
    IfMatch,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    public,
    service_router,
    set_etag,
)

router = service_router("Деньги")
WEBHOOK_WINDOW_SECONDS = 300


class BadSignature(Unauthenticated):
    code = "bad-signature"
    title = "Подпись не сходится"


@router.post("/payments", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Принять оплату в кассе")
async def take_payment(body: TakePayment, session: Session, caller: Caller) -> PaymentOut:
    """BILL-03: наличные или карта. Деньги резервируются под заказ; лишнее остаётся на балансе."""
    return PaymentOut.model_validate(await payments.take_payment(session, body, caller=caller, at=now()))


@router.get("/payments", dependencies=[allow(*EVERYONE)], summary="Платежи")
async def list_payments(session: Session, page: PageRequest, client_id: UUID | None = None) -> Page[PaymentOut]:
    query = queries.payments(client_id)
    rows, after = await paginate(session, query, page, key=(Payment.received_at.desc(), Payment.id.desc()))
    return Page(items=[PaymentOut.model_validate(row) for row in rows], next=after.next)


@router.post(
    "/payouts", status_code=201, dependencies=[allow(Role.MANAGER, *SENIORS)], summary="Вернуть деньги с баланса"
)
async def pay_out(body: PayOut, session: Session, caller: Caller) -> PayoutOut:
    """BILL-03: на карту, на счёт или наличными; только свободные деньги, не резерв."""
    return PayoutOut.model_validate(await payments.pay_out(session, body, caller=caller, at=now()))


@router.post(
    "/webhooks/acquirer",
    dependencies=[public(), NO_IDEMPOTENCY_KEY],
    summary="Уведомление эквайера",
)
async def acquirer(
    body: AcquirerNotice,
    request: Request,
    session: Session,
    x_timestamp: Annotated[str, Header(pattern=r"^[0-9]{1,12}$", description="секунды Unix")],
    x_signature: Annotated[str, Header(max_length=128, description="HMAC-SHA256 от «timestamp.тело», hex")],
) -> PaymentOut:
    """BILL-03. Подпись действует пять минут; повтор того же `event_id` возвращает тот же платёж."""
    secret: str = request.app.state.settings.acquirer_secret
    signed = x_timestamp.encode() + b"." + await request.body()
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(x_timestamp)) <= WEBHOOK_WINDOW_SECONDS
    if not secret or not fresh or not hmac.compare_digest(expected.encode(), x_signature.lower().encode()):
        raise BadSignature("Подпись уведомления не сходится или устарела.")
    return PaymentOut.model_validate(await payments.take_acquirer_notice(session, body, at=now()))


@router.post(
    "/bank-statements", status_code=201, dependencies=[allow(*OFFICE_STAFF)], summary="Загрузить выписку банка"
)
async def upload_statement(
    content: Annotated[bytes, Body(media_type="text/plain", description="файл 1CClientBankExchange")],
    session: Session,
    caller: Caller,
) -> StatementOut:
    """Платежи узнаются по номеру счёта в назначении или по плательщику; повторная загрузка ничего не удваивает."""
    assert caller.office_id is not None
    return await statements.upload_statement(session, content, office_id=caller.office_id, caller=caller, at=now())


@router.get("/bank-statements/lines", dependencies=[allow(*STAFF)], summary="Платежи из выписок")
async def list_lines(
    session: Session,
    page: PageRequest,
    state: Annotated[Literal["matched", "unmatched"], Query(description="По умолчанию ждущие разбора")] = "unmatched",
) -> Page[StatementLineOut]:
    query = queries.statement_lines(state)
    rows, after = await paginate(session, query, page, key=(StatementLine.uploaded_at, StatementLine.id))
    return Page(items=[StatementLineOut.model_validate(row) for row in rows], next=after.next)


@router.put("/bank-statements/lines/{line_id}/client", dependencies=[allow(*OFFICE_STAFF)], summary="Зачислить клиенту")
async def assign_line(
    line_id: UUID, body: AssignLine, session: Session, expected: IfMatch, response: Response
) -> StatementLineOut:
    line = await statements.assign_line(session, line_id, body, expected=expected, at=now())
    set_etag(response, line.version)
    return StatementLineOut.model_validate(line)


@router.get("/balances/{client_id}", dependencies=[allow(*EVERYONE)], summary="Баланс клиента")
async def show_balance(client_id: UUID, session: Session) -> BalanceOut:
    """BILL-04."""
    return await queries.balance(session, client_id)


@router.get("/ledger", dependencies=[allow(*EVERYONE)], summary="Движение денег")
async def list_entries(session: Session, page: PageRequest, client_id: UUID | None = None) -> Page[EntryOut]:
    """Двойная запись: сумма проводок каждой операции — ноль."""
    query = queries.entries(client_id)
    rows, after = await paginate(session, query, page, key=(LedgerEntry.at.desc(), LedgerEntry.id.desc()))
    return Page(items=await queries.with_postings(session, rows), next=after.next)


@router.get("/receipts", dependencies=[allow(*EVERYONE)], summary="Кассовые чеки")
async def list_receipts(session: Session, page: PageRequest, client_id: UUID | None = None) -> Page[ReceiptOut]:
    """BILL-07: пробивает касса, здесь хранятся номера."""
    query = queries.receipts(client_id)
    rows, after = await paginate(session, query, page, key=(Receipt.requested_at.desc(), Receipt.id.desc()))
    return Page(items=[ReceiptOut.model_validate(row) for row in rows], next=after.next)


@router.post("/receipts/{receipt_id}", dependencies=[allow(*OFFICE_STAFF, Role.SERVICE)], summary="Записать номер чека")
async def register_receipt(receipt_id: UUID, body: RegisterReceipt, session: Session) -> ReceiptOut:
    """BILL-07."""
    receipt = await payments.register_receipt(session, receipt_id, body.fiscal_number)
    return ReceiptOut.model_validate(receipt)
