"""Handle a return: claim, supplier first, the matrix's offer, the client's answer, the decision.

Clauses: RET-02, RET-03, RET-04, RET-05, RET-06, RET-08, RET-09, RET-10.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders import store
from services.orders.commands.access import acts_as_director
from services.orders.commands.numbering import next_numbers
from services.orders.commands.positions import lock_position, refresh_orders
from services.orders.domain.numbers import Document
from services.orders.domain.policies import ReturnPolicy
from services.orders.domain.position import PositionState
from services.orders.domain.return_matrix import (
    GrantedByLaw,
    NotOffered,
    consult,
    ensure_within,
    granted_by_law,
    refund_for_keeping,
)
from services.orders.models import Claim
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.claims import ClaimDecision, ClaimOffer, NewClaim, SupplierCheck
from shared.base.errors import BusinessError, Conflict, Forbidden, IllegalTransition, Invalid, NotFound
from shared.contracts.orders import ClaimDecided, ClaimOpened
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit


class SupplierCheckFirst(BusinessError):
    """The supplier was not asked yet (RET-09)."""

    code = "supplier-check-first"
    title = "Сначала проверьте возврат поставщику"


async def open_claim(session: AsyncSession, body: NewClaim, *, caller: Principal, at: datetime) -> Claim:
    """Open a return of issued pieces; its event starts the 48 hours to decide (RET-08).

    What an earlier claim refunded for pieces that the client kept is not refunded again.

    Raises NotFound, IllegalTransition, Invalid, Conflict for a second claim about the same position or when nothing
    is left to return.
    """
    position, order = await lock_position(session, body.position_id)
    if position.state is not PositionState.ISSUED:
        raise IllegalTransition(f"Вернуть можно выданное, позиция «{position.state.label}».")
    assert position.issued_at is not None
    quantity = body.quantity or position.quantity
    if quantity > position.quantity:
        raise Invalid(f"Количество — от 1 до {position.quantity}.", field="body.quantity")
    if await session.scalar(select(Claim.id).where(Claim.position_id == position.id, Claim.decision.is_(None))):
        raise Conflict("По этой позиции уже рассматривается возврат.")
    amount = position.sale_price * quantity - position.discount_on(quantity)
    if amount <= 0:
        raise Conflict("За эту деталь уже возвращена вся её цена.")
    (number,) = await next_numbers(session, position.office_id, Document.CLAIM)
    claim = Claim(
        id=new_id(),
        office_id=position.office_id,
        client_id=position.client_id,
        number=number,
        order_id=position.order_id,
        position_id=position.id,
        article=position.article,
        brand=position.brand,
        description=position.description,
        quantity=quantity,
        amount=amount,
        purchase_amount=None if position.purchase_price is None else position.purchase_price * quantity,
        kind=body.kind or position.kind,
        ground=body.ground,
        client_kind=order.client_kind,
        issued_at=position.issued_at,
        reason=body.reason,
        opened_by=caller.id,
        opened_at=at,
    )
    session.add(claim)
    await session.flush()
    await publish(
        session,
        ClaimOpened(
            office_id=claim.office_id,
            version=claim.version,
            occurred_at=at,
            claim_id=claim.id,
            number=claim.number,
            order_id=claim.order_id,
            position_id=claim.position_id,
            client_id=claim.client_id,
            article=claim.article,
            brand=claim.brand,
            description=claim.description,
            kind=claim.kind,
            amount=claim.amount,
            reason=claim.reason,
            opened_at=at,
        ),
    )
    await audit(session, "claim.opened", subject=f"claim/{claim.id}", office_id=claim.office_id)
    return claim


async def check_with_supplier(session: AsyncSession, claim_id: UUID, body: SupplierCheck, *, at: datetime) -> Claim:
    """Note whether the supplier takes the part back, before everything else (RET-09).  Raises NotFound, Conflict."""
    claim = await _open_claim(session, claim_id)
    claim.supplier_verdict, claim.supplier_comment, claim.supplier_checked_at = body.verdict, body.comment, at
    await session.flush()
    await audit(
        session,
        "claim.supplier_checked",
        subject=f"claim/{claim.id}",
        office_id=claim.office_id,
        details={"verdict": body.verdict},
    )
    return claim


async def record_offer(
    session: AsyncSession, claim_id: UUID, body: ClaimOffer, *, caller: Principal, at: datetime
) -> Claim:
    """Record what of the matrix was proposed, and the client's answer (RET-03, RET-04, RET-05, RET-06).

    K8, in part: a discount on later orders has its scope, but no validity, and nothing chooses the best of several.

    Raises NotFound, Conflict, SupplierCheckFirst, NotOffered, Forbidden, Invalid.
    """
    claim = await _open_claim(session, claim_id)
    _ensure_supplier_asked(claim)
    policy = await policy_in_force(session, ReturnPolicy, at)
    row = consult(policy, claim.amount, claim.kind, claim.ground)
    offer = next((offer for offer in row.offers if offer.code == body.offer_code), None)
    if offer is None:
        raise NotOffered("Для этой суммы и вида детали матрица такого не предлагает.")
    if offer.agreed_by_director and not await acts_as_director(session, caller, claim.office_id):
        raise Forbidden("Цену ниже закупочной согласует управляющий.")
    claim.discount_percent, claim.agreed_price = body.discount_percent, body.agreed_price
    claim.keeping_refund = refund_for_keeping(
        offer,
        amount=claim.amount,
        purchase_amount=claim.purchase_amount,
        discount_percent=body.discount_percent,
        agreed_price=body.agreed_price,
    )
    if body.next_discount_percent is not None:
        ensure_within(offer.later, body.next_discount_percent, field="body.next_discount_percent")
    claim.next_discount_percent = body.next_discount_percent
    claim.discount_scope = offer.later_scope if body.next_discount_percent is not None else None
    claim.offer_code, claim.offer_text = offer.code, offer.text
    claim.client_answer, claim.answered_at = body.client_answer, at
    await session.flush()
    return claim


async def decide_claim(
    session: AsyncSession, claim_id: UUID, body: ClaimDecision, *, caller: Principal, at: datetime
) -> Claim:
    """Decide a return: accepted, kept by the client as agreed, or rejected.

    Accepted pieces come back and their price goes to the balance; for kept pieces the agreed sum does.  A manager
    decides up to the matrix's limit, above it the director (RET-05, RET-06, ORG-03).  What the law grants cannot be
    rejected (RET-10).

    Raises NotFound, Conflict, SupplierCheckFirst, Forbidden, GrantedByLaw.
    """
    claim = await _open_claim(session, claim_id)
    _ensure_supplier_asked(claim)
    policy = await policy_in_force(session, ReturnPolicy, at)
    row = consult(policy, claim.amount, claim.kind, claim.ground)
    if row.decides == "director" and not await acts_as_director(session, caller, claim.office_id):
        raise Forbidden("Такую сумму решает управляющий, а где его нет — старший менеджер.")
    if body.decision == "rejected":
        days = (at - claim.issued_at).days
        law = granted_by_law(policy.rights, ground=claim.ground, client_kind=claim.client_kind, days_since_issue=days)
        if law is not None:
            raise GrantedByLaw(law)
    if body.decision == "kept" and claim.client_answer != "agreed":
        raise Conflict("Клиент не соглашался оставить деталь: сначала запишите предложение и его ответ.")
    kept = body.decision == "kept"
    origin_id = None
    if body.decision == "accepted":
        origin_id = await _take_back(session, claim, at)
    elif kept:
        origin_id = await _leave_cheaper(session, claim)
    claim.decision, claim.decision_reason, claim.decided_by, claim.decided_at = (
        body.decision,
        body.reason,
        caller.id,
        at,
    )
    claim.refund = {"accepted": claim.amount, "kept": claim.keeping_refund, "rejected": Decimal(0)}[body.decision]
    await session.flush()
    assert claim.refund is not None
    await publish(
        session,
        ClaimDecided(
            office_id=claim.office_id,
            version=claim.version,
            occurred_at=at,
            claim_id=claim.id,
            number=claim.number,
            order_id=claim.order_id,
            position_id=claim.position_id,
            client_id=claim.client_id,
            article=claim.article,
            brand=claim.brand,
            description=claim.description,
            quantity=claim.quantity,
            decision=body.decision,
            reason=body.reason,
            refund=claim.refund,
            next_discount_percent=claim.next_discount_percent if kept else None,
            discount_scope=claim.discount_scope if kept else None,
            decided_by=caller.id,
            decided_at=at,
            origin_position_id=origin_id,
        ),
    )
    await audit(
        session,
        "claim.decided",
        subject=f"claim/{claim.id}",
        office_id=claim.office_id,
        details={"decision": body.decision, "refund": str(claim.refund)},
    )
    return claim


async def _take_back(session: AsyncSession, claim: Claim, at: datetime) -> UUID | None:
    """Move the claimed pieces to «Возврат», split the others off and return the root of the lineage."""
    position, order = await lock_position(session, claim.position_id)
    remainder = position.split(claim.quantity)
    position.take_back(at)
    await store.write_positions(session, [position], [remainder] if remainder else [])
    view = await refresh_orders(session, [order], at)
    await publish(session, *view.processed)
    return position.origin_id


async def _leave_cheaper(session: AsyncSession, claim: Claim) -> UUID | None:
    """Add the agreed refund to the claimed pieces, split the others off and return the root of the lineage.

    The position keeps the sum, so that no kopeck is refunded twice.
    """
    assert claim.keeping_refund is not None, "the client agreed to an offer"
    position, _ = await lock_position(session, claim.position_id)
    remainder = position.split(claim.quantity)
    position.discounted += claim.keeping_refund
    position.version += 1
    await store.write_positions(session, [position], [remainder] if remainder else [])
    return position.origin_id


async def _open_claim(session: AsyncSession, claim_id: UUID) -> Claim:
    claim = await session.scalar(select(Claim).where(Claim.id == claim_id).with_for_update())
    if claim is None:
        raise NotFound("Возврат не найден.")
    if claim.decision is not None:
        raise Conflict("По этому возврату решение уже принято.")
    return claim


def _ensure_supplier_asked(claim: Claim) -> None:
    if claim.supplier_verdict is None:
        raise SupplierCheckFirst("Узнайте, примет ли деталь поставщик (RET-09).")
