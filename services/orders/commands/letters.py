"""Letters to an office are inquiries like visits and calls (INQ-01, CALL-12)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.commands.inquiries import publish_change, publish_recorded
from services.orders.domain.policies import InquiryPolicy
from services.orders.models import Client, Inquiry, Staff
from services.orders.queries.policies import policy_in_force
from shared.base.errors import DependencyNotReady

_ROLE_ORDER = ("manager", "assistant", "senior_manager", "director")


async def record_letter(
    session: AsyncSession, mail_id: UUID, *, office_id: UUID, client_id: UUID | None, at: datetime
) -> None:
    """Record a letter as an inquiry under the letter's id (INQ-01, CALL-12).

    It belongs to the client's manager, else to the first employee who serves clients.  The letter's text stays in the
    notifier.  Raises DependencyNotReady while the office has no staff here.
    """
    if await session.scalar(select(Inquiry.id).where(Inquiry.id == mail_id)) is not None:
        return
    client = await session.get(Client, client_id) if client_id else None
    staff_id = await _responsible(session, office_id, client)
    inquiry = Inquiry(
        id=mail_id,
        office_id=office_id,
        staff_id=staff_id,
        customer_type="legal_entity" if client and client.organization_name else "individual",
        channel="email",
        name=client.full_name[:200] if client else None,
        phone=client.phone if client else None,
        city=(client.city if client else None) or "",
        items=[],
        total=None,
        features={
            "regular": False,
            "state_institution": False,
            "discontinued_without_alternative": False,
            "components": False,
            "paid_online": False,
        },
        delivery=False,
        call_back_promised=False,
        internet_advantages_told=False,
        comment="Письмо на почту офиса.",
        suggested_mark=None,
        criteria=[],
        mark=None,
        status="open",
        lost_reason=None,
        order_id=None,
        recorded_at=at,
        status_changed_at=at,
    )
    session.add(inquiry)
    await session.flush()
    await publish_recorded(session, inquiry, await policy_in_force(session, InquiryPolicy, at), at=at)


async def letter_answered(session: AsyncSession, mail_id: UUID, *, staff_id: UUID, at: datetime) -> None:
    """Note that a letter was answered, which ends its clock (CALL-12).

    Raises DependencyNotReady while the letter is unknown here.
    """
    inquiry = await session.scalar(select(Inquiry).where(Inquiry.id == mail_id).with_for_update())
    if inquiry is None:
        raise DependencyNotReady(f"the letter {mail_id} is not known yet")
    inquiry.status_changed_at = max(inquiry.status_changed_at, at)
    await session.flush()
    await publish_change(session, inquiry, await policy_in_force(session, InquiryPolicy, at), staff_id=staff_id, at=at)


async def _responsible(session: AsyncSession, office_id: UUID, client: Client | None) -> UUID:
    at_work = select(Staff.staff_id).where(Staff.office_id == office_id, Staff.active, Staff.role.in_(_ROLE_ORDER))
    if client is not None and client.manager_id is not None:
        own = await session.scalar(at_work.where(Staff.staff_id == client.manager_id))
        if own is not None:
            return own
    role_order = case({role: number for number, role in enumerate(_ROLE_ORDER)}, value=Staff.role)
    found = await session.scalar(at_work.order_by(role_order, Staff.staff_id).limit(1))
    if found is None:
        raise DependencyNotReady(f"no employee of the office {office_id} is known yet")
    return found
