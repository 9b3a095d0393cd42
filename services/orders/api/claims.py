"""Returns."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select

from services.orders.commands import claims as commands
from services.orders.domain.policies import ReturnPolicy
from services.orders.domain.return_matrix import KIND_LABELS, Ground, Row, consult
from services.orders.models import Claim
from services.orders.models.claim import ClientAnswer, Decision, SupplierVerdict
from services.orders.queries.access import is_staff
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.claims import ClaimDecision, ClaimOffer, NewClaim, SupplierCheck
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.contracts.orders import PartKind
from shared.identity.roles import EVERYONE, OFFICE_STAFF, STAFF, Principal, Role
from shared.web import (
    Caller,
    Output,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Возвраты")

DECISION_LABELS = {"accepted": "Возврат принят", "kept": "Клиент оставил деталь", "rejected": "Отказано"}
OPEN_LABEL = "Рассматривается"


class PercentOut(Output):
    at_least: int
    at_most: int


class OfferOut(Output):
    code: str
    text: str = Field(description="Что предложить клиенту")
    discount: PercentOut | None
    later: PercentOut | None = Field(description="Скидка на последующие заказы, %")
    later_scope: Literal["next_order", "all_orders"] | None
    agreed_by_director: bool


class MatrixRow(Output):
    """Строка матрицы возвратов: предлагает, но не отнимает того, что даёт закон."""

    clause: str
    band: str
    offers: list[OfferOut]
    otherwise: str = Field(description="Если клиент не согласен")
    decides: Literal["manager", "director"]
    application: Literal["simple", "detailed"]

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls.model_validate(row)


class ClaimInternal(Output):
    """Видят только сотрудники."""

    purchase_amount: Decimal | None
    supplier_verdict: SupplierVerdict | None
    supplier_comment: str | None
    supplier_checked_at: datetime | None


class ClaimOut(Output):
    id: UUID
    number: str
    office_id: UUID
    client_id: UUID
    order_id: UUID
    position_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    amount: Decimal
    kind: PartKind
    kind_label: str
    ground: Ground
    ground_label: str
    reason: str
    opened_at: datetime
    offer_code: str | None
    offer_text: str | None
    discount_percent: int | None
    next_discount_percent: int | None
    discount_scope: Literal["next_order", "all_orders"] | None
    keeping_refund: Decimal | None = Field(description="Сколько вернётся, если клиент оставит деталь")
    client_answer: ClientAnswer | None
    decision: Decision | None
    decision_label: str
    decision_reason: str | None
    refund: Decimal | None
    decided_by: UUID | None
    decided_at: datetime | None
    version: int
    internal: ClaimInternal | None

    @classmethod
    def of(cls, claim: Claim, caller: Principal) -> Self:
        return cls(
            **{name: getattr(claim, name) for name in _AS_STORED},
            kind_label=KIND_LABELS[claim.kind],
            ground_label=claim.ground.label,
            decision_label=DECISION_LABELS[claim.decision] if claim.decision else OPEN_LABEL,
            internal=ClaimInternal.model_validate(claim) if is_staff(caller) else None,
        )


_AS_STORED = [
    name for name in ClaimOut.model_fields if name not in ("kind_label", "ground_label", "decision_label", "internal")
]


@router.post("/claims", status_code=201, summary="Открыть возврат", dependencies=[allow(*OFFICE_STAFF, Role.CLIENT)])
async def open_claim(body: NewClaim, session: Session, caller: Caller, response: Response) -> ClaimOut:
    """По выданной позиции, целиком или частью; на решение 48 часов (RET-08)."""
    claim = await commands.open_claim(session, body, caller=caller, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, caller)


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
    query = select(Claim)
    if client_id is not None:
        query = query.where(Claim.client_id == client_id)
    if office_id is not None:
        query = query.where(Claim.office_id == office_id)
    if open_only:
        query = query.where(Claim.decision.is_(None))
    found, following = await paginate(session, query, page, key=(Claim.opened_at.desc(), Claim.id.desc()))
    return Page(items=[ClaimOut.of(claim, caller) for claim in found], next=following.next)


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
    claim = await session.scalar(select(Claim).where(Claim.id == claim_id))
    if claim is None:
        raise NotFound("Возврат не найден.")
    set_etag(response, claim.version)
    return ClaimOut.of(claim, caller)


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
    return ClaimOut.of(claim, caller)


@router.post("/claims/{claim_id}/offer", summary="Предложение и ответ клиента", dependencies=[allow(*OFFICE_STAFF)])
async def record_offer(
    claim_id: UUID, body: ClaimOffer, session: Session, caller: Caller, response: Response
) -> ClaimOut:
    """Только то, что даёт матрица, в её границах (RET-03…RET-06)."""
    claim = await commands.record_offer(session, claim_id, body, caller=caller, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, caller)


@router.post("/claims/{claim_id}/decision", summary="Решение по возврату", dependencies=[allow(*OFFICE_STAFF)])
async def decide_claim(
    claim_id: UUID, body: ClaimDecision, session: Session, caller: Caller, response: Response
) -> ClaimOut:
    """До 5000 ₽ решает менеджер, выше — управляющий (RET-05, RET-06), где его нет — старший менеджер (ORG-03)."""
    claim = await commands.decide_claim(session, claim_id, body, caller=caller, at=now())
    set_etag(response, claim.version)
    return ClaimOut.of(claim, caller)
