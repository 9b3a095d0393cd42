"""Publish reasons for refusal; head office decides which count (VIN-06)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.vin.domain.comment import check_comment
from services.vin.models.reasons import RefusalReason
from services.vin.schemas.reasons import NewReason
from shared.base.errors import Invalid
from shared.identity.roles import Principal
from shared.persistence.database import new_id
from shared.runtime.audit import audit


async def set_reason(session: AsyncSession, body: NewReason, *, caller: Principal, at: datetime) -> RefusalReason:
    """Add a reason or its next version; earlier versions stay, because answers refer to them.

    Raises Invalid for a date in the past, CommentNotAddressed when an allowed reason does not address the client.
    """
    effective_from = body.effective_from or at
    if effective_from < at:
        raise Invalid("Задним числом справочник не меняется: укажите будущий момент.", field="effective_from")
    reason = RefusalReason(
        id=new_id(),
        code=body.code,
        effective_from=effective_from,
        label=body.label,
        allowed=body.allowed,
        text=check_comment(body.text, must_address=True) if body.allowed else body.text,
        created_by=caller.id,
    )
    session.add(reason)
    await session.flush()
    await audit(
        session,
        "refusal_reason.set",
        subject=f"refusal_reason/{reason.id}",
        office_id=None,
        details={"code": reason.code, "allowed": reason.allowed},
    )
    return reason
