"""Routes of inquiries and their tasks."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.orders.commands import inquiries as commands
from services.orders.domain.inquiry_marks import Mark
from services.orders.domain.policies import InquiryPolicy
from services.orders.models import Inquiry
from services.orders.models.inquiry import InquiryChannel, InquiryStatus
from services.orders.queries import inquiries as queries
from services.orders.queries.policies import policy_in_force
from services.orders.schemas.fields import Moment
from services.orders.schemas.inquiries import (
    InquiryContact,
    InquiryMark,
    InquiryOut,
    InquiryStatusBody,
    InquirySummary,
    LostReasonOut,
    NewInquiry,
    NewTask,
    TaskDone,
    TaskOut,
)
from shared.base.clock import now
from shared.identity.roles import OFFICE_STAFF, STAFF
from shared.web import Caller, IfMatch, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Обращения")


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
    wanted = queries.InquiryFilter(
        status=status,
        channel=channel,
        mark=mark,
        staff_id=staff_id,
        office_id=office_id,
        recorded_from=recorded_from,
        recorded_to=recorded_to,
    )
    found, following = await paginate(session, queries.inquiries_matching(wanted), page, key=queries.NEWEST_FIRST)
    return Page(items=[InquirySummary.of(inquiry) for inquiry in found], next=following.next)


@router.get("/inquiries/lost-reasons", summary="Причины потери", dependencies=[allow(*STAFF)])
async def list_lost_reasons(session: Session) -> list[LostReasonOut]:
    """У потерянного обращения есть причина (INQ-03)."""
    policy = await policy_in_force(session, InquiryPolicy, now())
    return [LostReasonOut.model_validate(reason) for reason in policy.lost_reasons]


@router.get("/inquiries/{inquiry_id}", summary="Обращение", dependencies=[allow(*STAFF)])
async def get_inquiry(inquiry_id: UUID, session: Session, response: Response) -> InquiryOut:
    """С задачами (INQ-06)."""
    return await _one(session, await queries.find_inquiry(session, inquiry_id), response)


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
    query = queries.tasks_matching(staff_id=staff_id, open_only=open_only)
    found, following = await paginate(session, query, page, key=queries.EARLIEST_DUE_FIRST)
    return Page(items=[TaskOut.of(task) for task in found], next=following.next)


@router.post("/tasks/{task_id}/completion", summary="Задача выполнена", dependencies=[allow(*OFFICE_STAFF)])
async def finish_task(task_id: UUID, session: Session, response: Response, body: TaskDone | None = None) -> TaskOut:
    """С результатом для истории (INQ-06)."""
    task = await commands.finish_task(session, task_id, body or TaskDone(), at=now())
    set_etag(response, task.version)
    return TaskOut.of(task)


async def _one(session: Session, inquiry: Inquiry, response: Response) -> InquiryOut:
    set_etag(response, inquiry.version)
    return await queries.show_inquiry(session, inquiry)
