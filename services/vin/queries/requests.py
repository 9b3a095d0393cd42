"""Read requests and their answers (VIN-01, VIN-04, VIN-05)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from services.vin.domain.labels import LineKind, PreferenceCode, RequestState
from services.vin.models.projections import Client, ObligationProjection
from services.vin.models.requests import Answer, RequestLine, VinRequest
from services.vin.queries.reasons import current_reasons
from services.vin.schemas.requests import AnswerOut, LineOut, OfferOut, RequestOut, RequestRow, VehicleOut
from shared.base.errors import NotFound
from shared.contracts.vin import AnsweredLine
from shared.identity.roles import Principal, Role

ListState = Literal["unanswered", "answered", "all"]


async def find_request(session: AsyncSession, request_id: UUID, *, lock: bool = False) -> VinRequest:
    """Return a request of the caller's scope with lines and answers, locked if wanted.  Raises NotFound."""
    query = (
        select(VinRequest)
        .where(VinRequest.id == request_id)
        .options(selectinload(VinRequest.lines), selectinload(VinRequest.answers))
    )
    request = await session.scalar(query.with_for_update() if lock else query)
    if request is None:
        raise NotFound("Такого запроса нет.")
    return request


def requests(state: ListState, *, client_id: UUID | None, office_id: UUID | None) -> Select[VinRequest]:
    """Select requests; the unanswered ones include those whose answer is being corrected (VIN-01)."""
    query = select(VinRequest)
    if state == "unanswered":
        query = query.where(VinRequest.state != RequestState.ANSWERED.value)
    elif state == "answered":
        query = query.where(VinRequest.state == RequestState.ANSWERED.value)
    if client_id is not None:
        query = query.where(VinRequest.client_id == client_id)
    if office_id is not None:
        query = query.where(VinRequest.office_id == office_id)
    return query


def sort_key(state: ListState) -> tuple[Any, ...]:
    """Return the order of a list: unanswered requests oldest first (VIN-05), the other lists newest first."""
    by_age = (VinRequest.submitted_at, VinRequest.id)
    return by_age if state == "unanswered" else tuple(column.desc() for column in by_age)


async def rows(session: AsyncSession, found: Sequence[VinRequest], *, at: datetime) -> list[RequestRow]:
    """Return list rows with the clients' names and the running deadlines, which clients do not see (VIN-05)."""
    names = await _client_names(session, {request.client_id for request in found})
    due_dates = await _due_dates(session, [request.id for request in found])
    return [
        RequestRow(
            id=request.id,
            office_id=request.office_id,
            number=request.number,
            client_id=request.client_id,
            client_name=names.get(request.client_id),
            vehicle=VehicleOut.model_validate(request.vehicle),
            preference=PreferenceCode(request.preference),
            preference_label=PreferenceCode(request.preference).label,
            state=RequestState(request.state),
            state_label=RequestState(request.state).label,
            submitted_at=request.submitted_at,
            due_at=due_dates.get(request.id),
            overdue=request.id in due_dates and due_dates[request.id] < at,
            version=request.version,
        )
        for request in found
    ]


async def full(session: AsyncSession, request: VinRequest, caller: Principal, *, at: datetime) -> RequestOut:
    """Return one request: to staff with the draft, to the client with the last answer as it was given (VIN-04)."""
    (row,) = await rows(session, [request], at=at)
    answer = given_answer(request.answers[-1]) if request.answers else None
    if caller.role == Role.CLIENT:
        lines = answer.lines if answer else [_asked(line) for line in request.lines]
    else:
        lines = await _drafts(session, request.lines, at=at)
    return RequestOut(
        **row.model_dump(),
        correction=request.correction,
        lines=lines,
        answer=answer,
        correction_reason=None if caller.role == Role.CLIENT else request.correction_reason,
    )


def given_answer(answer: Answer) -> AnswerOut:
    """Return an answer as it was given (VIN-09)."""
    lines = [AnsweredLine.model_validate(line) for line in answer.lines]
    return AnswerOut(
        number=answer.number,
        answered_by=answer.answered_by,
        answered_by_name=answer.answered_by_name,
        answered_at=answer.answered_at,
        notify_client=answer.notify_client,
        lines=[_given(ordinal, line) for ordinal, line in enumerate(lines, start=1)],
    )


async def _client_names(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    found = await session.execute(select(Client.client_id, Client.full_name).where(Client.client_id.in_(ids)))
    return {row.client_id: row.full_name for row in found}


async def _due_dates(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    running = select(ObligationProjection).where(
        ObligationProjection.request_id.in_(ids), ObligationProjection.closed.is_(False)
    )
    found = await session.scalars(running.order_by(ObligationProjection.due_at.desc()))
    return {obligation.request_id: obligation.due_at for obligation in found}


async def _drafts(session: AsyncSession, lines: Sequence[RequestLine], *, at: datetime) -> list[LineOut]:
    labels = {}
    if any(line.refusal_code for line in lines):
        labels = {reason.code: reason.label for reason in await current_reasons(session, at=at)}
    return [
        LineOut(
            id=line.id,
            ordinal=ordinal,
            text=line.text,
            quantity=line.quantity,
            kind=LineKind(line.kind),
            kind_label=LineKind(line.kind).label,
            offers=[OfferOut.model_validate(offer) for offer in line.offers],
            preference_note=line.preference_note,
            refusal_code=line.refusal_code,
            refusal_reason=labels.get(line.refusal_code or ""),
            refusal_comment=line.refusal_comment,
            question=line.question,
            chosen_by=line.chosen_by,
            chosen_by_name=line.chosen_by_name,
        )
        for ordinal, line in enumerate(lines, start=1)
    ]


def _asked(line: RequestLine) -> LineOut:
    return LineOut(
        id=line.id,
        ordinal=line.ordinal,
        text=line.text,
        quantity=line.quantity,
        kind=LineKind.OPEN,
        kind_label=LineKind.OPEN.label,
        offers=[],
    )


def _given(ordinal: int, line: AnsweredLine) -> LineOut:
    kind = LineKind.OFFERS if line.offers else LineKind.QUESTION if line.question else LineKind.REFUSAL
    return LineOut(
        id=line.line_id,
        ordinal=ordinal,
        text=line.text,
        quantity=line.quantity,
        kind=kind,
        kind_label=kind.label,
        offers=[OfferOut.model_validate(offer) for offer in line.offers],
        preference_note=line.preference_note,
        refusal_reason=line.refusal_reason,
        refusal_comment=line.refusal_comment,
        question=line.question,
    )
