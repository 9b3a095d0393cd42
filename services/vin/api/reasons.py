"""Routes of the reasons for refusing to answer a line."""

from services.vin import commands
from services.vin.queries import reasons as queries
from services.vin.schemas.reasons import NewReason, ReasonOut
from shared.base.clock import now
from shared.identity.roles import STAFF, Role
from shared.web import Caller, Session, allow, service_router

router = service_router("Причины отказа")


@router.get("/refusal-reasons", dependencies=[allow(*STAFF)], summary="Действующие причины отказа")
async def list_reasons(session: Session) -> list[ReasonOut]:
    """VIN-06: допустимые причины с текстом для клиента и недопустимые с подсказкой, что делать вместо отказа."""
    return [ReasonOut.model_validate(reason) for reason in await queries.current_reasons(session, at=now())]


@router.post(
    "/refusal-reasons",
    status_code=201,
    dependencies=[allow(Role.HEAD_OFFICE)],
    summary="Добавить или изменить причину отказа",
)
async def set_reason(body: NewReason, session: Session, caller: Caller) -> ReasonOut:
    """VIN-06: прежняя редакция причины остаётся в истории, новая действует с `effective_from`."""
    return ReasonOut.model_validate(await commands.set_reason(session, body, caller=caller, at=now()))
