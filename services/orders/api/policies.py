"""Routes of policies: the figures of the regulations as data."""

from services.orders.commands import policies as commands
from services.orders.domain.policies import PolicyCode
from services.orders.queries import policies as queries
from services.orders.schemas.policies import NewPolicy, PolicyOut
from shared.base.clock import now
from shared.identity.roles import STAFF, Role
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router

router = service_router("Правила")


@router.get("/policies/{code}", summary="Версии правила", dependencies=[allow(*STAFF)])
async def list_versions(code: PolicyCode, session: Session, page: PageRequest) -> Page[PolicyOut]:
    """Новые сверху: действует новейшая из наступивших (ORD-12, K4, INQ-04, RET-02…RET-06, ORD-16)."""
    found, following = await paginate(session, queries.versions_of(code), page, key=queries.NEWEST_FIRST)
    return Page(items=[PolicyOut.model_validate(policy) for policy in found], next=following.next)


@router.post(
    "/policies/{code}", status_code=201, summary="Новая версия правила", dependencies=[allow(Role.HEAD_OFFICE)]
)
async def publish_policy(code: PolicyCode, body: NewPolicy, session: Session, caller: Caller) -> PolicyOut:
    """С даты, которая не в прошлом; прошлое не переписывается."""
    return PolicyOut.model_validate(await commands.publish_policy(session, code, body, caller=caller, at=now()))
