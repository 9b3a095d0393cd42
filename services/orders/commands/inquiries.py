"""Record every visit, call and message, with a status, a mark and tasks.

Clauses: INQ-01, INQ-02, INQ-03, INQ-04, INQ-05, INQ-06.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.domain.inquiry_marks import InquiryFacts, suggest
from services.orders.domain.policies import InquiryPolicy
from services.orders.models import Inquiry, InquiryTask, Order
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.inquiries import (
    InquiryContact,
    InquiryItem,
    InquiryMark,
    InquiryStatusBody,
    NewInquiry,
    NewTask,
    TaskDone,
    is_call,
)
from shared.base.errors import Conflict, Invalid, NotFound
from shared.contracts.orders import InquiryRecorded, InquiryStatusChanged
from shared.identity.roles import Principal
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.web import check_version

FEATURES = ("regular", "state_institution", "discontinued_without_alternative", "components")
OLD_ANONYMOUS = "1"
"""The mark that the old system used for «без имени» (INQ-02)."""


async def record_inquiry(
    session: AsyncSession, body: NewInquiry, *, caller: Principal, at: datetime
) -> tuple[Inquiry, list[InquiryTask]]:
    """Record an inquiry with its tasks and suggest a mark (INQ-01, INQ-04, INQ-05).

    Raises Invalid for a lost inquiry without a known reason (INQ-03), NotFound for an unknown order.
    """
    assert caller.office_id is not None, "only office staff may call this"
    policy = await policy_in_force(session, InquiryPolicy, at)
    _ensure_lost_has_reason(policy, body.status, body.lost_reason)
    await _ensure_order(session, body.order_id)
    features: dict[str, Any] = {name: getattr(body, name) for name in FEATURES} | {"paid_online": False}
    items = [item.model_dump(mode="json") for item in body.items]
    total = _total(body.items)
    suggestion = suggest(policy.marks, _facts(body.items, total, features))
    inquiry = Inquiry(
        id=new_id(),
        office_id=caller.office_id,
        staff_id=caller.id,
        customer_type=body.customer_type,
        channel=body.channel,
        name=_known(body.name),
        phone=body.phone,
        city=body.city,
        items=items,
        total=total,
        features=features,
        delivery=body.delivery,
        call_back_promised=body.call_back_promised,
        internet_advantages_told=body.internet_advantages_told,
        comment=body.comment,
        suggested_mark=suggestion.mark,
        criteria=list(suggestion.criteria),
        mark=body.mark,
        status=body.status,
        lost_reason=body.lost_reason,
        order_id=body.order_id,
        recorded_at=at,
        status_changed_at=at,
    )
    session.add(inquiry)
    await session.flush()
    tasks = await _add_tasks(session, inquiry, body.tasks, policy, caller=caller, at=at)
    await publish_recorded(session, inquiry, policy, at=at)
    await audit(session, "inquiry.recorded", subject=f"inquiry/{inquiry.id}", office_id=inquiry.office_id)
    return inquiry, tasks


async def set_status(
    session: AsyncSession, inquiry_id: UUID, body: InquiryStatusBody, *, caller: Principal, at: datetime
) -> tuple[Inquiry, list[InquiryTask]]:
    """Set the status after a conversation (INQ-03); an order paid online suggests VIP anew (INQ-04).

    Raises NotFound, Invalid, Conflict for a call without a telephone number.
    """
    inquiry = await _locked(session, inquiry_id)
    policy = await policy_in_force(session, InquiryPolicy, at)
    _ensure_lost_has_reason(policy, body.status, body.lost_reason)
    await _ensure_order(session, body.order_id)
    inquiry.status, inquiry.status_changed_at = body.status, at
    inquiry.lost_reason = body.lost_reason
    inquiry.order_id = body.order_id or inquiry.order_id
    if body.paid_online and not inquiry.features["paid_online"]:
        inquiry.features = inquiry.features | {"paid_online": True}
        items = [InquiryItem.model_validate(item) for item in inquiry.items]
        suggestion = suggest(policy.marks, _facts(items, inquiry.total, inquiry.features))
        inquiry.suggested_mark, inquiry.criteria = suggestion.mark, list(suggestion.criteria)
    await session.flush()
    tasks = await _add_tasks(session, inquiry, body.tasks, policy, caller=caller, at=at)
    await publish_change(session, inquiry, policy, staff_id=caller.id, at=at)
    return inquiry, tasks


async def set_mark(
    session: AsyncSession,
    inquiry_id: UUID,
    body: InquiryMark,
    *,
    expected_version: int,
    caller: Principal,
    at: datetime,
) -> Inquiry:
    """Set the mark that the manager decided on, whatever was suggested (INQ-04, INQ-05).

    Raises NotFound, PreconditionFailed.
    """
    inquiry = await _locked(session, inquiry_id)
    check_version(inquiry.version, expected_version)
    if inquiry.mark != body.mark:
        inquiry.mark = body.mark
        await session.flush()
        policy = await policy_in_force(session, InquiryPolicy, at)
        await publish_change(session, inquiry, policy, staff_id=inquiry.staff_id, at=at, conversation=False)
    return inquiry


async def change_contact(
    session: AsyncSession, inquiry_id: UUID, body: InquiryContact, *, expected_version: int
) -> Inquiry:
    """Write down a name, number or city that was not known at first (INQ-02).

    A number may be replaced but not removed: a call to it may have been promised.  Raises NotFound,
    PreconditionFailed.
    """
    inquiry = await _locked(session, inquiry_id)
    check_version(inquiry.version, expected_version)
    given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if name == "name" or value}
    if "name" in given:
        given["name"] = _known(given["name"])
    changed = {name: value for name, value in given.items() if getattr(inquiry, name) != value}
    if not changed:
        return inquiry
    for name, value in changed.items():
        setattr(inquiry, name, value)
    await session.flush()
    await audit(
        session,
        "inquiry.contact_changed",
        subject=f"inquiry/{inquiry.id}",
        office_id=inquiry.office_id,
        details={"fields": sorted(changed)},
    )
    return inquiry


async def add_task(
    session: AsyncSession, inquiry_id: UUID, body: NewTask, *, caller: Principal, at: datetime
) -> InquiryTask:
    """Add a task to an inquiry (INQ-06).  Raises NotFound, Conflict for a call without a telephone number."""
    inquiry = await _locked(session, inquiry_id)
    policy = await policy_in_force(session, InquiryPolicy, at)
    (task,) = await _add_tasks(session, inquiry, [body], policy, caller=caller, at=at)
    return task


async def finish_task(session: AsyncSession, task_id: UUID, body: TaskDone, *, at: datetime) -> InquiryTask:
    """Close a task with its result (INQ-06).  Raises NotFound, Conflict."""
    task = await session.scalar(select(InquiryTask).where(InquiryTask.id == task_id).with_for_update())
    if task is None:
        raise NotFound("Задача не найдена.")
    if task.done_at is not None:
        raise Conflict("Задача уже выполнена.")
    task.done_at, task.result = at, body.result
    await session.flush()
    return task


async def _locked(session: AsyncSession, inquiry_id: UUID) -> Inquiry:
    inquiry = await session.scalar(select(Inquiry).where(Inquiry.id == inquiry_id).with_for_update())
    if inquiry is None:
        raise NotFound("Обращение не найдено.")
    return inquiry


def _known(name: str | None) -> str | None:
    return None if name in (None, "", OLD_ANONYMOUS) else name


def _ensure_lost_has_reason(policy: InquiryPolicy, status: str, lost_reason: str | None) -> None:
    if status != "lost":
        if lost_reason is not None:
            raise Invalid("Причину потери указывают у потерянного обращения.", field="body.lost_reason")
        return
    if lost_reason is None or policy.lost_reason(lost_reason) is None:
        known = ", ".join(reason.code for reason in policy.lost_reasons)
        raise Invalid(f"Укажите причину потери: {known}.", field="body.lost_reason")


async def _ensure_order(session: AsyncSession, order_id: UUID | None) -> None:
    if order_id is not None and await session.scalar(select(Order.id).where(Order.id == order_id)) is None:
        raise NotFound("Заказ не найден.")


def _total(items: Iterable[InquiryItem]) -> Decimal | None:
    priced = [item.price * item.quantity for item in items if item.price is not None]
    return sum(priced, Decimal(0)) if priced else None


def _facts(items: Iterable[InquiryItem], total: Decimal | None, features: dict[str, Any]) -> InquiryFacts:
    known = list(items)
    return InquiryFacts(
        total=total,
        highest_price=max((item.price for item in known if item.price is not None), default=None),
        categories=[item.category for item in known if item.category],
        **features,
    )


async def _add_tasks(
    session: AsyncSession,
    inquiry: Inquiry,
    wanted: Sequence[NewTask],
    policy: InquiryPolicy,
    *,
    caller: Principal,
    at: datetime,
) -> list[InquiryTask]:
    if inquiry.phone is None and any(map(is_call, wanted)):
        raise Conflict("Телефона нет: сначала запишите, куда звонить.")
    tasks = [
        InquiryTask(
            id=new_id(),
            office_id=inquiry.office_id,
            inquiry_id=inquiry.id,
            staff_id=caller.id,
            kind=task.kind,
            text=task.text,
            due_at=task.due_at
            or (at + timedelta(days=policy.payment_check_days) if task.kind == "payment_check" else at),
        )
        for task in wanted
    ]
    session.add_all(tasks)
    await session.flush()
    return tasks


def _lost_reason_label(policy: InquiryPolicy, inquiry: Inquiry) -> str | None:
    reason = policy.lost_reason(inquiry.lost_reason) if inquiry.lost_reason else None
    return reason.label if reason else None


async def publish_recorded(session: AsyncSession, inquiry: Inquiry, policy: InquiryPolicy, *, at: datetime) -> None:
    """Publish a new inquiry."""
    await publish(
        session,
        InquiryRecorded(
            office_id=inquiry.office_id,
            version=inquiry.version,
            occurred_at=at,
            inquiry_id=inquiry.id,
            staff_id=inquiry.staff_id,
            channel=inquiry.channel,
            mark=inquiry.mark,
            status=inquiry.status,
            lost_reason=inquiry.lost_reason,
            lost_reason_label=_lost_reason_label(policy, inquiry),
            items=[item["text"] for item in inquiry.items],
            recorded_at=at,
        ),
    )


async def publish_change(
    session: AsyncSession,
    inquiry: Inquiry,
    policy: InquiryPolicy,
    *,
    staff_id: UUID,
    at: datetime,
    conversation: bool = True,
) -> None:
    """Publish a status or a mark; `conversation` says whether it follows a conversation (INQ-03)."""
    await publish(
        session,
        InquiryStatusChanged(
            office_id=inquiry.office_id,
            version=inquiry.version,
            occurred_at=at,
            inquiry_id=inquiry.id,
            staff_id=staff_id,
            mark=inquiry.mark,
            status=inquiry.status,
            lost_reason=inquiry.lost_reason,
            lost_reason_label=_lost_reason_label(policy, inquiry),
            order_id=inquiry.order_id,
            conversation=conversation,
        ),
    )
