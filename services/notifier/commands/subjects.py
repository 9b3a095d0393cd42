"""What is remembered about the subjects of duties."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.domain.facts import CONCERNS, merge, moment_of, subject_id
from services.notifier.models import Subject
from shared.contracts.base import Event


def of(event: Event) -> dict[str, UUID]:
    """Kind → id of the subjects that the event names."""
    found = {concern.kind: subject_id(event, concern.kind) for concern in CONCERNS[event.type]}
    return {kind: value for kind, value in found.items() if value is not None}


async def remember(session: AsyncSession, event: Event) -> dict[str, Subject]:
    """Store what the event tells and return the subjects by kind.  The caller holds the client's lock."""
    concerned = of(event)
    if event.office_id is None or not concerned:
        return {}
    keys = [(kind, value) for kind, value in concerned.items()]
    query = select(Subject).where(tuple_(Subject.kind, Subject.subject_id).in_(keys))
    known = {row.kind: row for row in (await session.execute(query)).scalars()}
    for concern in CONCERNS[event.type]:
        if concern.kind not in concerned:
            continue
        before = known.get(concern.kind)
        moment = moment_of(event, concern).isoformat(timespec="microseconds")
        moments = dict(before.moments) if before else {}
        moments[event.type] = max(moments.get(event.type, ""), moment)
        values: dict[str, Any] = {
            "client_id": getattr(event, "client_id", None) or (before.client_id if before else None),
            "staff_id": getattr(event, "staff_id", None) or (before.staff_id if before else None),
            "label": _label(event, concern.kind) or (before.label if before else None),
            "facts": merge(before.facts if before else {}, event, concern),
            "moments": moments,
        }
        if before is None:
            key = {"kind": concern.kind, "subject_id": concerned[concern.kind], "office_id": event.office_id}
            await session.execute(insert(Subject).values(**key, **values))
            known[concern.kind] = Subject(**key, **values)
        else:
            for name, value in values.items():
                setattr(before, name, value)
    await session.flush()
    return known


def _label(event: Event, kind: str) -> str | None:
    """The number of an order, request, claim or invoice; the event's own subject only."""
    own = {"request_id": "vin_request"}.get(event.subject_field, event.subject_field.removesuffix("_id"))
    number = getattr(event, "number", None)
    return number if own == kind and isinstance(number, str) else None
