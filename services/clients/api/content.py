"""Texts and figures that head office publishes."""

from services.clients.commands import content as commands
from services.clients.domain.content import ContentCode
from services.clients.models import Content, Policy
from services.clients.queries.content import policies, versions_of
from services.clients.schemas.work import ContentOut, PolicyOut, PublishContent, PublishPolicy
from shared.base.clock import now
from shared.identity.roles import STAFF, Role
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router

router = service_router("Тексты и правила")


@router.get("/contents", dependencies=[allow(*STAFF)], summary="Редакции текстов")
async def list_contents(session: Session, page: PageRequest, code: ContentCode | None = None) -> Page[ContentOut]:
    """Договор, согласия, скрипты, ответы на возражения; все редакции (CL-19, CALL-05)."""
    rows, following = await paginate(
        session, versions_of(code), page, key=(Content.effective_from.desc(), Content.id.desc())
    )
    return Page(items=[ContentOut.model_validate(row) for row in rows], next=following.next)


@router.post("/contents", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Новая редакция текста")
async def publish_content(body: PublishContent, session: Session, caller: Caller) -> ContentOut:
    """Прежние редакции сохраняются: на них ссылаются данные согласия. Места вставки: `$office`, `$manager`,
    `$legal_name`, `$address` (CL-19).
    """
    return ContentOut.model_validate(await commands.publish_content(session, body, caller=caller, at=now()))


@router.get("/policies", dependencies=[allow(*STAFF)], summary="Правила работы с клиентами")
async def list_policies(session: Session, page: PageRequest) -> Page[PolicyOut]:
    """Сроки и границы с датами начала действия (CL-06, CALL-04)."""
    rows, following = await paginate(session, policies(), page, key=(Policy.effective_from.desc(), Policy.id.desc()))
    return Page(items=[PolicyOut.model_validate(row) for row in rows], next=following.next)


@router.post("/policies", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Новые правила")
async def publish_policy(body: PublishPolicy, session: Session, caller: Caller) -> PolicyOut:
    """Сколько ждать настоящего телефона и сколько карточек может быть у номера (CL-06), дни обзвона (CALL-04)."""
    return PolicyOut.model_validate(await commands.publish_policy(session, body, caller=caller, at=now()))
