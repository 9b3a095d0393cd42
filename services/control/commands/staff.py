"""Hire, change and dismiss staff, and set their passwords (ORG-02, ORG-03)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.commands.offices import working_office
from services.control.domain.staffing import (
    LastHeadOfficeAccount,
    check_own_account,
    check_place,
    check_single_director,
)
from services.control.models.staff import Staff
from services.control.schemas.staff import ChangeOwnPassword, ChangeStaff, DismissStaff, HireStaff
from shared.base.errors import Invalid, NotFound
from shared.identity import accounts
from shared.identity.roles import OFFICE_STAFF, Principal, Role
from shared.messaging import publish
from shared.persistence.database import new_id
from shared.persistence.locks import lock_until_commit
from shared.runtime.audit import audit
from shared.web import check_version

HEAD_OFFICE_LOCK = "staff/head_office"


async def hire(session: AsyncSession, body: HireStaff, *, at: datetime) -> Staff:
    """Hire an employee and open the account.

    Raises Invalid for a role that does not fit the place, OfficeClosed, DirectorExists, LoginTaken.
    """
    role = Role(body.role)
    check_place(role, body.office_id)
    if body.office_id is not None:
        await _check_office(session, role, body.office_id)
    staff = Staff(
        id=new_id(),
        office_id=body.office_id,
        login=body.login,
        full_name=body.full_name,
        role=role.value,
        email=body.email,
        phone=body.phone,
        active=True,
        hired_at=at,
        changed_at=at,
    )
    await accounts.create_account(session, principal_of(staff), body.login, body.password)
    session.add(staff)
    await session.flush()
    await publish(session, staff.changed())
    await audit(
        session,
        "staff.hired",
        subject=f"staff/{staff.id}",
        office_id=staff.office_id,
        details={"role": role.value},
    )
    return staff


async def change_staff(
    session: AsyncSession, staff_id: UUID, body: ChangeStaff, *, expected: int, caller: Principal, at: datetime
) -> Staff:
    """Change a card, a role or an office; a new role or office ends the sessions of the old one.

    Raises NotFound, PreconditionFailed, Conflict for a dismissed employee or one's own role, and the errors of `hire`.
    """
    staff = await _locked(session, staff_id)
    check_version(staff.version, expected)
    staff.ensure_active()
    before = principal_of(staff)
    role = Role(body.role) if body.role else before.role
    office_id = body.office_id or (before.office_id if role in OFFICE_STAFF else None)
    check_place(role, office_id)
    if (role, office_id) != (before.role, before.office_id):
        check_own_account(caller.id, staff_id)
        if office_id is not None:
            await _check_office(session, role, office_id, besides=staff_id)
        if before.role == Role.HEAD_OFFICE:
            await _check_not_last(session, staff_id)
    staff.role, staff.office_id = role.value, office_id
    if body.full_name is not None:
        staff.full_name = body.full_name
    if body.email is not None:
        staff.email = body.email
    if "phone" in body.model_fields_set:
        staff.phone = body.phone
    staff.changed_at = at
    if principal_of(staff) != before:
        await accounts.change_account(session, principal_of(staff))
    await session.flush()
    await publish(session, staff.changed())
    await audit(
        session,
        "staff.changed",
        subject=f"staff/{staff_id}",
        office_id=staff.office_id,
        details={"fields": sorted(body.model_fields_set), "role": role.value},
    )
    return staff


async def dismiss(
    session: AsyncSession, staff_id: UUID, body: DismissStaff, *, caller: Principal, at: datetime
) -> Staff:
    """Dismiss an employee: the account closes and its tokens are void everywhere within a minute.

    Raises NotFound, Conflict for oneself or a dismissed employee, LastHeadOfficeAccount.
    """
    staff = await _locked(session, staff_id)
    check_own_account(caller.id, staff_id)
    if staff.active and staff.role == Role.HEAD_OFFICE:
        await _check_not_last(session, staff_id)
    staff.dismiss(body.reason, at)
    await accounts.change_account(session, principal_of(staff), active=False)
    await session.flush()
    await publish(session, staff.changed())
    await audit(session, "staff.dismissed", subject=f"staff/{staff_id}", office_id=staff.office_id)
    return staff


async def reset_password(session: AsyncSession, staff_id: UUID, password: str) -> None:
    """Set a new password and end all sessions of the employee.  Raises NotFound, Conflict."""
    staff = await _locked(session, staff_id)
    staff.ensure_active()
    await accounts.set_password(session, staff_id, password)
    await audit(session, "staff.password_reset", subject=f"staff/{staff_id}", office_id=staff.office_id)


async def change_own_password(session: AsyncSession, body: ChangeOwnPassword, *, caller: Principal) -> None:
    """Change the caller's password and end all sessions, this one included.

    Raises Invalid when the current password is wrong.
    """
    if not await accounts.change_password(session, caller.id, body.current_password, body.new_password):
        raise Invalid("Текущий пароль неверен.", field="current_password")
    await audit(session, "staff.password_changed", subject=f"staff/{caller.id}", office_id=caller.office_id)


async def ensure_head_office(session: AsyncSession, login: str, password: str, email: str, *, at: datetime) -> None:
    """Create the first account of the network unless there is one; a password given again changes nothing.

    Replicas that start together wait for each other and create one.
    """
    await lock_until_commit(session, HEAD_OFFICE_LOCK)
    if await session.scalar(select(Staff.id).where(Staff.role == Role.HEAD_OFFICE.value, Staff.active).limit(1)):
        return
    body = HireStaff(
        login=login,
        password=password,
        full_name="Головной офис",
        role="head_office",
        email=email,
    )
    await hire(session, body, at=at)


def principal_of(staff: Staff) -> Principal:
    """Return the employee as the owner of an account."""
    return Principal(staff.id, Role(staff.role), staff.office_id, staff.full_name)


async def _locked(session: AsyncSession, staff_id: UUID) -> Staff:
    staff = await session.scalar(select(Staff).where(Staff.id == staff_id).with_for_update())
    if staff is None:
        raise NotFound("Сотрудник не найден.")
    return staff


async def _check_office(session: AsyncSession, role: Role, office_id: UUID, besides: UUID | None = None) -> None:
    """Verify that the office can have the role.

    The office's locked row keeps two directors from being appointed concurrently.
    """
    await working_office(session, office_id)
    others = await session.scalars(
        select(Staff).where(Staff.office_id == office_id, Staff.active, Staff.id.is_distinct_from(besides))
    )
    check_single_director(role, [staff.member for staff in others])


async def _check_not_last(session: AsyncSession, staff_id: UUID) -> None:
    """Verify that another head office account remains.  Raises LastHeadOfficeAccount.

    The lock keeps the last two from dismissing each other concurrently.
    """
    await lock_until_commit(session, HEAD_OFFICE_LOCK)
    others = select(Staff.id).where(Staff.role == Role.HEAD_OFFICE.value, Staff.active, Staff.id != staff_id).limit(1)
    if await session.scalar(others) is None:
        raise LastHeadOfficeAccount("Сначала примите ещё одного сотрудника головного офиса.")
