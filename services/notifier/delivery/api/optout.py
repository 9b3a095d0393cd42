"""Отказ от рекламы: ссылка в письме и «СТОП» в SMS."""

from html import escape
from uuid import UUID

from fastapi import Response

from services.notifier.delivery.api.signatures import signed
from services.notifier.delivery.commands.optout import is_stop_word, stop_number, withdraw
from services.notifier.delivery.commands.webhooks import record_once
from services.notifier.delivery.queries.notices import find_addressee
from services.notifier.delivery.schemas.optout import IncomingSms, SmsHeard
from shared.base.clock import now
from shared.web import NO_IDEMPOTENCY_KEY, Session, public, service_router

router = service_router("Отказ от рекламы")

_HTML = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}
_PAGE = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"></head>'
    '<body style="font-family:Arial,sans-serif;max-width:480px;margin:60px auto;padding:0 16px;">'
    "<h1>{title}</h1>{body}</body></html>"
)
_FORM = '<p>{text}</p><form method="post"><button type="submit" style="padding:10px 20px;">Отказаться</button></form>'


@router.get(
    "/unsubscribe/{notice_id}",
    dependencies=[public()],
    summary="Страница отказа от рекламных писем",
    response_class=Response,
    responses=_HTML,  # type: ignore[arg-type]
)
async def show_page(notice_id: UUID, session: Session) -> Response:
    """Открыть страницу мало: её открывают и почтовые проверки; отказывается человек кнопкой."""
    await find_addressee(session, notice_id)
    body = _FORM.format(text=escape("Больше не присылать вам рекламные письма и SMS?"))
    return Response(_PAGE.format(title="Отказ от рекламы", body=body), media_type="text/html; charset=utf-8")


@router.post(
    "/unsubscribe/{notice_id}",
    dependencies=[public(), NO_IDEMPOTENCY_KEY],
    summary="Отказаться от рекламных писем",
    response_class=Response,
    responses=_HTML,  # type: ignore[arg-type]
)
async def unsubscribe(notice_id: UUID, session: Session) -> Response:
    """Действует сразу; повтор ничего не меняет. Так же отказывается почтовая программа (RFC 8058)."""
    client = await find_addressee(session, notice_id, lock=True)
    await withdraw(session, client, source="link", at=now())
    body = "<p>Рекламных писем и SMS больше не будет. О ваших заказах мы по-прежнему сообщаем.</p>"
    return Response(_PAGE.format(title="Вы отказались от рекламы", body=body), media_type="text/html; charset=utf-8")


@router.post("/webhooks/sms", dependencies=[public(), NO_IDEMPOTENCY_KEY, signed], summary="SMS от клиента: «СТОП»")
async def incoming_sms(body: IncomingSms, session: Session) -> SmsHeard:
    """«СТОП» прекращает рекламу на этот номер; повтор события ничего не меняет."""
    if not is_stop_word(body.text) or not await record_once(session, "sms", body.event_id):
        return SmsHeard(stopped=False)
    await stop_number(session, body.phone, at=now())
    return SmsHeard(stopped=True)
