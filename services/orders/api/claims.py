"""Routes of returns."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.orders.commands import claims as commands
from services.orders.domain.policies import ReturnPolicy
from services.orders.domain.return_matrix import Ground, consult
from services.orders.queries import claims as queries
from services.orders.queries.access import is_staff
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.claims import ClaimDecision, ClaimOffer, ClaimOut, MatrixRow, NewClaim, SupplierCheck
from shared.base.clock import now
from shared.contracts.orders import PartKind
from shared.identity.roles import EVERYONE, OFFICE_STAFF, STAFF, Role
from shared.web import Caller, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Возвраты")


@router.post("/claims", status_code=201, summary="Открыть возврат", dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)])
async def open_claim(body: NewClaim, session: Session, caller: Caller, response: Response) -> ClaimOut:
    """По выданной позиции, целиком или частью; на решение 48 часов (RET-08)."""
    claim = await commands.open_claim(session, body, caller=caller, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, internal=is_staff(caller))


@router.get("/claims", summary="Возвраты", dependencies=[allow(*EVERYONE)])
async def list_claims(
    session: Session,
    caller: Caller,
    page: PageRequest,
    client_id: UUID | None = None,
    office_id: UUID | None = None,
    open_only: bool = False,
) -> Page[ClaimOut]:
    """Новые сверху; `open_only` — только нерешённые (RET-08)."""
    query = queries.claims_matching(client_id=client_id, office_id=office_id, open_only=open_only)
    found, following = await paginate(session, query, page, key=queries.NEWEST_FIRST)
    return Page(items=[ClaimOut.of(claim, internal=is_staff(caller)) for claim in found], next=following.next)


@router.get("/claims/matrix", summary="Матрица возвратов", dependencies=[allow(*STAFF)])
async def read_matrix(
    session: Session,
    amount: Annotated[Decimal, Query(gt=0, le=99_999_999, description="Цена возвращаемого, рубли")],
    kind: PartKind = "other",
    ground: Ground = Ground.UNWANTED,
) -> MatrixRow:
    """Что предложить по сумме и виду детали (RET-02…RET-06, K6, K16); гарантия и пересорт — вне матрицы (RET-10)."""
    policy = await policy_in_force(session, ReturnPolicy, now())
    return MatrixRow.of(consult(policy, amount, kind, ground))


@router.get("/claims/{claim_id}", summary="Возврат", dependencies=[allow(*EVERYONE)])
async def get_claim(claim_id: UUID, session: Session, caller: Caller, response: Response) -> ClaimOut:
    """Предложение, ответ клиента и решение."""
    claim = await queries.find_claim(session, claim_id)
    set_etag(response, claim.version)
    return ClaimOut.of(claim, internal=is_staff(caller))


@router.post(
    "/claims/{claim_id}/supplier-check",
    summary="Примет ли деталь поставщик",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def check_with_supplier(
    claim_id: UUID, body: SupplierCheck, session: Session, caller: Caller, response: Response
) -> ClaimOut:
    """Проверяется первым делом (RET-09)."""
    claim = await commands.check_with_supplier(session, claim_id, body, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, internal=is_staff(caller))


@router.post("/claims/{claim_id}/offer", summary="Предложение и ответ клиента", dependencies=[allow(*OFFICE_STAFF)])
async def record_offer(
    claim_id: UUID, body: ClaimOffer, session: Session, caller: Caller, response: Response
) -> ClaimOut:
    """Только то, что даёт матрица, в её границах (RET-03…RET-06)."""
    claim = await commands.record_offer(session, claim_id, body, caller=caller, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, internal=is_staff(caller))


@router.post("/claims/{claim_id}/decision", summary="Решение по возврату", dependencies=[allow(*OFFICE_STAFF)])
async def decide_claim(
    claim_id: UUID, body: ClaimDecision, session: Session, caller: Caller, response: Response
) -> ClaimOut:
    """До 5000 ₽ решает менеджер, выше — управляющий (RET-05, RET-06), где его нет — старший менеджер (ORG-03)."""
    claim = await commands.decide_claim(session, claim_id, body, caller=caller, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, internal=is_staff(caller))
