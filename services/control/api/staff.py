"""Staff, and one's own account."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.control.commands import staff as commands
from services.control.models.staff import Staff
from services.control.queries.offices import office_name
from services.control.queries.people import find_staff, shown_staff, staff_list
from services.control.schemas.staff import (
    ChangeOwnPassword,
    ChangeStaff,
    DismissStaff,
    HireStaff,
    MeOut,
    ResetPassword,
    StaffOut,
)
from shared.base.clock import now
from shared.contracts.control import StaffRole
from shared.identity.roles import SENIORS, STAFF, Role
from shared.web import Caller, IfMatch, Page, PageRequest, Session, allow, paginate, service_router, set_etag

router = service_router("Сотрудники")
EVERY_EMPLOYEE = (*STAFF, Role.MYSTERY_CHECKER)


@router.post("/staff", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Принять сотрудника")
async def hire(body: HireStaff, session: Session, response: Response) -> StaffOut:
    """ORG-02, ORG-03. Управляющий в офисе один; логин един для всей сети."""
    staff = await commands.hire(session, body, at=now())
    response.headers["Location"] = f"/api/control/staff/{staff.id}"
    set_etag(response, staff.version)
    return shown_staff(staff)


@router.get("/staff", dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)], summary="Сотрудники")
async def list_staff(
    session: Session,
    page: PageRequest,
    office_id: Annotated[UUID | None, Query(description="Только этот офис")] = None,
    role: Annotated[StaffRole | None, Query(description="Только эта роль")] = None,
    active: Annotated[bool | None, Query(description="true: работающие, false: уволенные")] = None,
) -> Page[StaffOut]:
    """ORG-04. Старший менеджер и управляющий видят сотрудников своего офиса, головной офис всех."""
    query = staff_list(office_id, role, active)
    rows, after = await paginate(session, query, page, key=(Staff.full_name, Staff.id))
    return Page(items=[shown_staff(row) for row in rows], next=after.next)


@router.get("/staff/{staff_id}", dependencies=[allow(*SENIORS, Role.HEAD_OFFICE)], summary="Сотрудник")
async def read_staff(staff_id: UUID, session: Session, response: Response) -> StaffOut:
    """ORG-02."""
    staff = await find_staff(session, staff_id)
    set_etag(response, staff.version)
    return shown_staff(staff)


@router.patch("/staff/{staff_id}", dependencies=[allow(Role.HEAD_OFFICE)], summary="Изменить сотрудника")
async def change_staff(
    staff_id: UUID, body: ChangeStaff, session: Session, caller: Caller, expected: IfMatch, response: Response
) -> StaffOut:
    """ORG-02, ORG-03. Смена роли, офиса или имени завершает открытые сеансы сотрудника."""
    staff = await commands.change_staff(session, staff_id, body, expected=expected, caller=caller, at=now())
    set_etag(response, staff.version)
    return shown_staff(staff)


@router.post("/staff/{staff_id}/dismissal", dependencies=[allow(Role.HEAD_OFFICE)], summary="Уволить сотрудника")
async def dismiss(staff_id: UUID, body: DismissStaff, session: Session, caller: Caller, response: Response) -> StaffOut:
    """ORG-02. Войти больше нельзя; действующие токены теряют силу во всех сервисах в течение минуты."""
    staff = await commands.dismiss(session, staff_id, body, caller=caller, at=now())
    set_etag(response, staff.version)
    return shown_staff(staff)


@router.post(
    "/staff/{staff_id}/password",
    status_code=204,
    dependencies=[allow(Role.HEAD_OFFICE)],
    summary="Задать сотруднику новый пароль",
)
async def reset_password(staff_id: UUID, body: ResetPassword, session: Session) -> None:
    """Все сеансы сотрудника завершаются."""
    await commands.reset_password(session, staff_id, body.password)


@router.get("/me", dependencies=[allow(*EVERY_EMPLOYEE)], summary="Кто я")
async def me(session: Session, caller: Caller) -> MeOut:
    """ORG-02. Роль и офис того, чей токен предъявлен."""
    return MeOut.model_validate(
        {
            "id": caller.id,
            "role": caller.role.value,
            "role_label": caller.role.label,
            "office_id": caller.office_id,
            "office_name": await office_name(session, caller.office_id),
            "name": caller.name,
        }
    )


@router.post("/me/password", status_code=204, dependencies=[allow(*EVERY_EMPLOYEE)], summary="Сменить свой пароль")
async def change_own_password(body: ChangeOwnPassword, session: Session, caller: Caller) -> None:
    """Все сеансы завершаются, войдите с новым паролем."""
    await commands.change_own_password(session, body, caller=caller)
