"""Answer a request line by line, then give the answer.

Clauses: VIN-03, VIN-04, VIN-06, VIN-07, VIN-08, VIN-09.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.vin.domain import answer as rules
from services.vin.domain.labels import LineKind, PreferenceCode, RequestState
from services.vin.models.projections import ClientCall
from services.vin.models.requests import Answer, RequestLine, VinRequest
from services.vin.queries.reasons import current_reasons
from services.vin.queries.requests import find_request
from services.vin.schemas.requests import LineAnswer, NewOffer, NewPart, NewQuestion, NewRefusal
from shared.base.errors import BusinessError, IllegalTransition, Invalid, NotFound
from shared.contracts.vin import AnsweredLine, Offer, VinRequestAnswered
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.web import check_version

MAX_LINES = 200


class AlreadyAnswered(IllegalTransition):
    """The answer was given; a change takes a correction (VIN-09)."""

    code = "request-answered"
    title = "Ответ уже дан"


class LastLine(BusinessError):
    """A request keeps at least one line."""

    code = "last-line"
    title = "В запросе должна остаться хотя бы одна строка"


async def answer_line(
    session: AsyncSession,
    request_id: UUID,
    line_id: UUID,
    body: LineAnswer,
    *,
    expected: int,
    caller: Principal,
    at: datetime,
) -> VinRequest:
    """Write the draft of a line: offers, a refusal or a question; it replaces the former draft (K17).

    Raises NotFound, PreconditionFailed, AlreadyAnswered and what `services.vin.domain.answer` raises.
    """
    request = await find_request(session, request_id, lock=True)
    check_version(request.version, expected)
    _refuse_answered(request)
    line = _line(request, line_id)
    line.clear()
    if body.offers is not None:
        _write_offers(request, line, body.offers, body.preference_note)
    elif body.refusal is not None:
        await _write_refusal(session, request, line, body.refusal, at)
    elif body.question is not None:
        await _write_question(session, request, line, body.question)
    line.chosen_by, line.chosen_by_name, line.chosen_at = caller.id, caller.name, at
    await _changed(session, request, "vin_request.line_answered", at, line_id=line.id, kind=line.kind)
    return request


async def add_line(
    session: AsyncSession, request_id: UUID, body: NewPart, *, caller: Principal, at: datetime
) -> VinRequest:
    """Add a line, for one that asks for several parts (VIN-03).  Raises NotFound, AlreadyAnswered, Invalid."""
    request = await find_request(session, request_id, lock=True)
    _refuse_answered(request)
    if len(request.lines) >= MAX_LINES:
        raise Invalid(f"В запросе не больше {MAX_LINES} строк.")
    line = RequestLine(
        id=new_id(),
        office_id=request.office_id,
        client_id=request.client_id,
        ordinal=max((line.ordinal for line in request.lines), default=0) + 1,
        text=body.text,
        quantity=body.quantity,
        added_by=caller.id,
        kind=LineKind.OPEN.value,
        offers=[],
    )
    request.lines.append(line)
    await _changed(session, request, "vin_request.line_added", at, line_id=line.id)
    return request


async def delete_line(
    session: AsyncSession, request_id: UUID, line_id: UUID, *, expected: int, at: datetime
) -> VinRequest:
    """Delete a line.  Raises NotFound, PreconditionFailed, AlreadyAnswered, LastLine."""
    request = await find_request(session, request_id, lock=True)
    check_version(request.version, expected)
    _refuse_answered(request)
    line = _line(request, line_id)
    if len(request.lines) == 1:
        raise LastLine("Это единственная строка запроса: вместо удаления укажите причину отказа.")
    request.lines.remove(line)
    await _changed(session, request, "vin_request.line_deleted", at, line_id=line_id)
    return request


async def give_answer(
    session: AsyncSession, request_id: UUID, *, notify_client: bool, caller: Principal, at: datetime
) -> VinRequest:
    """Give the answer, which appears in the cabinet and ends the clock (VIN-04, VIN-05).

    It names who chose the parts (VIN-09).  With a question it is always mailed as well (VIN-07).

    Raises NotFound, AlreadyAnswered, AnswerIncomplete.
    """
    request = await find_request(session, request_id, lock=True)
    _refuse_answered(request)
    rules.check_complete(
        [
            rules.LineDraft(ordinal, line.text, line.kind != LineKind.OPEN)
            for ordinal, line in enumerate(request.lines, start=1)
        ]
    )
    labels = {reason.code: reason.label for reason in await current_reasons(session, at=at)}
    lines = [_answered(line, labels) for line in request.lines]
    notify_client = notify_client or any(line.question for line in lines)
    answer = Answer(
        id=new_id(),
        office_id=request.office_id,
        client_id=request.client_id,
        request_id=request.id,
        number=len(request.answers) + 1,
        lines=[line.model_dump(mode="json") for line in lines],
        answered_by=caller.id,
        answered_by_name=caller.name,
        answered_at=at,
        notify_client=notify_client,
        correction_reason=request.correction_reason,
    )
    request.answers.append(answer)
    request.state, request.correction_reason = RequestState.ANSWERED.value, None
    await _changed(session, request, "vin_request.answered", at, answer=answer.number)
    await publish(
        session,
        VinRequestAnswered(
            office_id=request.office_id,
            version=request.version,
            occurred_at=at,
            request_id=request.id,
            number=request.number,
            client_id=request.client_id,
            vehicle=request.vehicle,
            lines=lines,
            answered_by=caller.id,
            notify_client=notify_client,
            answered_at=at,
            answer_number=answer.number,
        ),
    )
    return request


async def start_correction(session: AsyncSession, request_id: UUID, *, reason: str, at: datetime) -> VinRequest:
    """Open an answered request again; the client sees the former answer until the next one is given (VIN-09).

    Raises NotFound, IllegalTransition.
    """
    request = await find_request(session, request_id, lock=True)
    if request.state != RequestState.ANSWERED:
        raise IllegalTransition("Исправлять нечего: ответ на этот запрос ещё не дан.")
    request.state, request.correction_reason = RequestState.CORRECTING.value, reason
    await _changed(session, request, "vin_request.correction_started", at)
    return request


def _write_offers(request: VinRequest, line: RequestLine, offers: list[NewOffer], note: str | None) -> None:
    vehicle_ids = _vehicle_ids(request)
    checked = rules.check_offers(
        [rules.OfferDraft(**offer.model_dump()) for offer in offers],
        preference=PreferenceCode(request.preference),
        preference_note=note,
        vehicle_ids=vehicle_ids,
    )
    line.kind = LineKind.OFFERS.value
    line.offers = [
        Offer.model_validate(
            {"offer_id": new_id()} | {name: getattr(offer, name) for name in _OFFER_FIELDS}
        ).model_dump(mode="json")
        for offer in checked
    ]
    line.preference_note = rules.check_preference_note(note, vehicle_ids) if note else None


async def _write_refusal(
    session: AsyncSession, request: VinRequest, line: RequestLine, refusal: NewRefusal, at: datetime
) -> None:
    reasons = {reason.code: reason for reason in await current_reasons(session, at=at)}
    reason = reasons.get(refusal.reason_code)
    if reason is None:
        raise Invalid(f"Причины «{refusal.reason_code}» нет в справочнике.", field="refusal.reason_code")
    line.kind = LineKind.REFUSAL.value
    line.refusal_code = reason.code
    line.refusal_comment = rules.check_refusal(
        rules.Reason(reason.label, reason.allowed, reason.text), refusal.comment, _vehicle_ids(request)
    )


async def _write_question(session: AsyncSession, request: VinRequest, line: RequestLine, question: NewQuestion) -> None:
    of_client = ClientCall.client_id == request.client_id
    attempt = await session.scalar(select(ClientCall).where(of_client, ClientCall.call_id == question.call_attempt_id))
    reached = select(func.max(ClientCall.called_at)).where(of_client, ClientCall.outcome == "reached")
    line.kind = LineKind.QUESTION.value
    line.question = rules.check_question(
        question.text,
        attempt=rules.Call(attempt.outcome, attempt.called_at) if attempt else None,
        last_conversation_at=await session.scalar(reached),
        submitted_at=request.submitted_at,
        vehicle_ids=_vehicle_ids(request),
    )
    line.call_id = question.call_attempt_id


_OFFER_FIELDS = ("article", "brand", "description", "price", "term_days", "comment", "original")


def _answered(line: RequestLine, reason_labels: dict[str, str]) -> AnsweredLine:
    return AnsweredLine(
        line_id=line.id,
        text=line.text,
        quantity=line.quantity,
        offers=[Offer.model_validate(offer) for offer in line.offers],
        refusal_reason=reason_labels.get(line.refusal_code, line.refusal_code) if line.refusal_code else None,
        refusal_comment=line.refusal_comment,
        question=line.question,
        preference_note=line.preference_note,
    )


def _vehicle_ids(request: VinRequest) -> list[str]:
    return [number for number in (request.vin, request.frame) if number]


def _refuse_answered(request: VinRequest) -> None:
    if request.state == RequestState.ANSWERED:
        raise AlreadyAnswered("Ответ на этот запрос уже дан. Чтобы изменить его, начните исправление ответа.")


def _line(request: VinRequest, line_id: UUID) -> RequestLine:
    for line in request.lines:
        if line.id == line_id:
            return line
    raise NotFound("Такой строки в запросе нет.")


async def _changed(session: AsyncSession, request: VinRequest, action: str, at: datetime, **details: object) -> None:
    """Raise the request's version and leave an audit row."""
    request.changed_at = at
    await session.flush()
    await audit(
        session,
        action,
        subject=f"vin_request/{request.id}",
        office_id=request.office_id,
        details={name: value if isinstance(value, int) else str(value) for name, value in details.items()},
    )
