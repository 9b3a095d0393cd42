"""Inquiries and their tasks."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.commands import inquiries as commands
from services.orders.domain.inquiry_marks import Mark
from services.orders.domain.policies import InquiryPolicy
from services.orders.models import Inquiry, InquiryTask
from services.orders.models.inquiry import CustomerType, InquiryChannel, InquiryStatus, TaskKind
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.fields import Moment
from services.orders.schemas.inquiries import (
    InquiryContact,
    InquiryItem,
    InquiryMark,
    InquiryStatusBody,
    NewInquiry,
    NewTask,
    TaskDone,
)
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import OFFICE_STAFF, STAFF
from shared.web import (
    Caller,
    IfMatch,
    Output,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Обращения")

CHANNEL_LABELS = {
    "visit": "Посещение",
    "phone": "Звонок",
    "email": "Почта",
    "messenger": "Мессенджер",
    "site": "Сайт",
}
STATUS_LABELS = {"open": "В работе", "won": "Оформлен заказ", "lost": "Потеряно"}
TASK_LABELS = {
    "supplier_request": "Заявка поставщику",
    "call_on_arrival": "Звонок о поступлении",
    "payment_check": "Проверить оплату",
    "call_back": "Перезвонить",
    "other": "Другое",
}
ANONYMOUS = "Без имени"


class TaskOut(Output):
    id: UUID
    inquiry_id: UUID
    staff_id: UUID
    kind: TaskKind
    kind_label: str
    text: str
    due_at: datetime
    done_at: datetime | None
    result: str | None
    version: int

    @classmethod
    def of(cls, task: InquiryTask) -> Self:
        names = [name for name in cls.model_fields if name != "kind_label"]
        return cls(**{name: getattr(task, name) for name in names}, kind_label=TASK_LABELS[task.kind])


class InquirySummary(Output):
    id: UUID
    office_id: UUID
    staff_id: UUID
    customer_type: CustomerType
    channel: InquiryChannel
    channel_label: str
    name: str | None
    name_label: str = Field(description="Имя или «Без имени» (INQ-02)")
    phone: str | None
    city: str
    items: list[InquiryItem]
    total: Decimal | None
    features: dict[str, Any]
    delivery: bool
    call_back_promised: bool
    internet_advantages_told: bool
    comment: str | None
    suggested_mark: Mark | None = Field(description="Предложение системы (INQ-04, INQ-05)")
    criteria: list[str] = Field(description="По каким признакам")
    mark: Mark | None = Field(description="Решение менеджера")
    status: InquiryStatus
    status_label: str
    status_changed_at: datetime
    lost_reason: str | None
    order_id: UUID | None
    recorded_at: datetime
    version: int

    @classmethod
    def of(cls, inquiry: Inquiry) -> Self:
        return cls(
            **{name: getattr(inquiry, name) for name in _AS_STORED},
            channel_label=CHANNEL_LABELS[inquiry.channel],
            status_label=STATUS_LABELS[inquiry.status],
            name_label=inquiry.name or ANONYMOUS,
        )


_AS_STORED = [
    name for name in InquirySummary.model_fields if name not in ("channel_label", "status_label", "name_label")
]


class InquiryOut(InquirySummary):
    tasks: list[TaskOut]


class LostReasonOut(Output):
    code: str
    label: str


@router.post("/inquiries", status_code=201, summary="Записать обращение", dependencies=[allow(*OFFICE_STAFF)])
async def record_inquiry(body: NewInquiry, session: Session, caller: Caller, response: Response) -> InquiryOut:
    """Каждое посещение, звонок и сообщение (INQ-01, INQ-02, K9); метку предлагает система (INQ-04, INQ-05)."""
    inquiry, _ = await commands.record_inquiry(session, body, caller=caller, at=now())
    return await _one(session, inquiry, response)


@router.get("/inquiries", summary="Обращения", dependencies=[allow(*STAFF)])
async def list_inquiries(
    session: Session,
    page: PageRequest,
    status: InquiryStatus | None = None,
    channel: InquiryChannel | None = None,
    mark: Mark | None = None,
    staff_id: UUID | None = None,
    office_id: UUID | None = None,
    recorded_from: Annotated[Moment | None, Query()] = None,
    recorded_to: Annotated[Moment | None, Query()] = None,
) -> Page[InquirySummary]:
    """Новые сверху (INQ-01)."""
    query = select(Inquiry)
    for column, value in (
        (Inquiry.status, status),
        (Inquiry.channel, channel),
        (Inquiry.mark, mark),
        (Inquiry.staff_id, staff_id),
        (Inquiry.office_id, office_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if recorded_from is not None:
        query = query.where(Inquiry.recorded_at >= recorded_from)
    if recorded_to is not None:
        query = query.where(Inquiry.recorded_at < recorded_to)
    found, following = await paginate(session, query, page, key=(Inquiry.recorded_at.desc(), Inquiry.id.desc()))
    return Page(items=[InquirySummary.of(inquiry) for inquiry in found], next=following.next)


@router.get("/inquiries/lost-reasons", summary="Причины потери", dependencies=[allow(*STAFF)])
async def list_lost_reasons(session: Session) -> list[LostReasonOut]:
    """У потерянного обращения есть причина (INQ-03)."""
    policy = await policy_in_force(session, InquiryPolicy, now())
    return [LostReasonOut.model_validate(reason) for reason in policy.lost_reasons]


@router.get("/inquiries/{inquiry_id}", summary="Обращение", dependencies=[allow(*STAFF)])
async def get_inquiry(inquiry_id: UUID, session: Session, response: Response) -> InquiryOut:
    """С задачами (INQ-06)."""
    inquiry = await session.scalar(select(Inquiry).where(Inquiry.id == inquiry_id))
    if inquiry is None:
        raise NotFound("Обращение не найдено.")
    return await _one(session, inquiry, response)


@router.patch("/inquiries/{inquiry_id}", summary="Имя, телефон, город", dependencies=[allow(*OFFICE_STAFF)])
async def change_contact(
    inquiry_id: UUID, body: InquiryContact, session: Session, expected: IfMatch, response: Response
) -> InquiryOut:
    """То, чего человек не сказал сразу: без телефона звонок не пообещать (INQ-02)."""
    inquiry = await commands.change_contact(session, inquiry_id, body, expected_version=expected)
    return await _one(session, inquiry, response)


@router.post("/inquiries/{inquiry_id}/status", summary="Статус обращения", dependencies=[allow(*OFFICE_STAFF)])
async def set_status(
    inquiry_id: UUID, body: InquiryStatusBody, session: Session, caller: Caller, response: Response
) -> InquiryOut:
    """Ставится во время или сразу после каждого разговора (INQ-03)."""
    inquiry, _ = await commands.set_status(session, inquiry_id, body, caller=caller, at=now())
    return await _one(session, inquiry, response)


@router.put("/inquiries/{inquiry_id}/mark", summary="Метка VIP или BAD", dependencies=[allow(*OFFICE_STAFF)])
async def set_mark(
    inquiry_id: UUID, body: InquiryMark, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> InquiryOut:
    """Система предлагает, решает менеджер (INQ-04, INQ-05)."""
    inquiry = await commands.set_mark(session, inquiry_id, body, expected_version=expected, caller=caller, at=now())
    return await _one(session, inquiry, response)


@router.post(
    "/inquiries/{inquiry_id}/tasks",
    status_code=201,
    summary="Поставить задачу",
    dependencies=[allow(*OFFICE_STAFF)],
)
async def add_task(inquiry_id: UUID, body: NewTask, session: Session, caller: Caller, response: Response) -> TaskOut:
    """Что приведёт к покупке: заявка поставщику, звонок о поступлении, проверка оплаты через 2 дня (INQ-06)."""
    task = await commands.add_task(session, inquiry_id, body, caller=caller, at=now())
    set_etag(response, task.version)
    return TaskOut.of(task)


@router.get("/tasks", summary="Задачи по обращениям", dependencies=[allow(*STAFF)])
async def list_tasks(
    session: Session, page: PageRequest, staff_id: UUID | None = None, open_only: bool = True
) -> Page[TaskOut]:
    """Ближайший срок сверху (INQ-06)."""
    query = select(InquiryTask)
    if staff_id is not None:
        query = query.where(InquiryTask.staff_id == staff_id)
    if open_only:
        query = query.where(InquiryTask.done_at.is_(None))
    found, following = await paginate(session, query, page, key=(InquiryTask.due_at, InquiryTask.id))
    return Page(items=[TaskOut.of(task) for task in found], next=following.next)


@router.post("/tasks/{task_id}/completion", summary="Задача выполнена", dependencies=[allow(*OFFICE_STAFF)])
async def finish_task(task_id: UUID, session: Session, response: Response, body: TaskDone | None = None) -> TaskOut:
    """С результатом для истории (INQ-06)."""
    task = await commands.finish_task(session, task_id, body or TaskDone(), at=now())
    set_etag(response, task.version)
    return TaskOut.of(task)


async def _one(session: AsyncSession, inquiry: Inquiry, response: Response) -> InquiryOut:
    set_etag(response, inquiry.version)
    tasks = await session.scalars(
        select(InquiryTask).where(InquiryTask.inquiry_id == inquiry.id).order_by(InquiryTask.due_at, InquiryTask.id)
    )
    return InquiryOut(**dict(InquirySummary.of(inquiry)), tasks=[TaskOut.of(task) for task in tasks])
