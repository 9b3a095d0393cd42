"""Read what the clock has to know before it applies an event, with one statement.

Paid for by `benchmarks/clock/event_application.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.facts import ID_FIELDS
from services.notifier.clock.domain.obligation import ObligationRecord, obligations_from_json
from services.notifier.clock.domain.subjects import SubjectRecord, subjects_from_json, subjects_of
from services.notifier.clock.store.rule_book import STAMP
from shared.contracts.base import Event
from shared.persistence.raw_sql import fetch


@dataclass(slots=True)
class TombstoneRecord:
    """A row of `tombstones`."""

    obligation_kind: Annotated[str, Field(alias="duty")]
    field: str
    value: UUID
    outcome: str
    happened_at: datetime


@dataclass(slots=True)
class EventRecord:
    """A row of `heard_events`."""

    type: str
    happened_at: datetime
    body: dict[str, Any]


@dataclass(slots=True)
class Snapshot:
    """Everything about an event's subjects and their client, as it is stored now."""

    subjects: dict[str, SubjectRecord]
    obligations: list[ObligationRecord]
    """Open ones that the event may touch, and cancelled ones of its subjects, locked against the engine."""
    ever_opened: set[tuple[UUID, str]]
    """Subject and kind of every obligation that was ever open."""
    tombstones: list[TombstoneRecord]
    """Endings that were received before the obligation opened, the oldest first."""
    later_events: list[EventRecord]
    """What happened later in the office and was received earlier, of the types asked for, the oldest first."""
    calendar_digest: str | None
    """Of the event's office, None while it is not known."""
    manager_id: UUID | None
    last_caller_id: UUID | None
    stamp: str
    """Of the published rules."""


_TOMBSTONES = TypeAdapter(list[TombstoneRecord])
_EVENTS = TypeAdapter(list[EventRecord])
_EVER_OPENED = TypeAdapter(set[tuple[UUID, str]])

# The obligations are found by two indexes and only then locked; `done` ones never change.
_OBLIGATIONS = """
    WITH own AS MATERIALIZED (
        SELECT id, subject_id, duty, state FROM obligations WHERE subject_id = ANY($1::uuid[])
    ), found AS (
        SELECT id FROM own WHERE state <> 'done'
        UNION SELECT id FROM obligations WHERE client_id = $4::uuid AND state = 'open'
    ), locked AS (
        SELECT o.* FROM obligations o WHERE o.id IN (SELECT id FROM found) ORDER BY o.id FOR UPDATE
    )
"""
_ALWAYS = f"""
        (SELECT json_agg(s)::text FROM unnest($1::uuid[], $2::text[]) AS concerned(subject_id, kind)
           JOIN subjects s USING (kind, subject_id)) AS known,
        (SELECT json_agg(l ORDER BY l.id)::text FROM locked l) AS obligations,
        (SELECT calendar_digest FROM offices WHERE office_id = $5::uuid) AS calendar_digest,
        {STAMP}
"""
_FOR_OPENING = """
        (SELECT json_agg(DISTINCT ARRAY[own.subject_id::text, own.duty])::text FROM own) AS ever,
        (SELECT json_agg(t ORDER BY t.happened_at)::text FROM unnest($6::text[]) AS opened(duty)
          CROSS JOIN unnest($3::text[], $1::uuid[] || $4::uuid) AS named(field, value)
           JOIN tombstones t USING (duty, field, value)) AS tombstones,
        (SELECT c.manager_id FROM clients c WHERE c.client_id = $4::uuid AND NOT EXISTS (
            SELECT FROM staff s WHERE s.staff_id = c.manager_id
                AND (NOT s.active OR s.office_id IS DISTINCT FROM c.office_id))) AS manager_id,
        (SELECT staff_id FROM subjects WHERE kind = 'client' AND subject_id = $4::uuid) AS last_caller_id
"""
_FOR_WAITING = """
        (SELECT json_agg(h ORDER BY h.happened_at, h.id)::text FROM heard_events h
          WHERE h.happened_at > $7 AND h.office_id = $5::uuid AND h.type = ANY($8::text[])) AS later
"""
_NOT_OPENING = """
        $3::text[] AS fields, $6::text[] AS opens,
        NULL AS ever, NULL AS tombstones, NULL::uuid AS manager_id, NULL::uuid AS last_caller_id
"""
_NOT_WAITING = "$7::timestamptz AS happened_at, $8::text[] AS types, NULL AS later"


@cache
def _statement(opening: bool, waiting: bool) -> str:
    """Return the statement; what only opening or waiting events need is left out for the others."""
    parts = [
        _ALWAYS,
        _FOR_OPENING if opening else _NOT_OPENING,
        _FOR_WAITING if waiting else _NOT_WAITING,
    ]
    return f"{_OBLIGATIONS} SELECT {','.join(parts)}"


async def load_snapshot(
    session: AsyncSession, event: Event, happened_at: datetime, opens: Iterable[str], later_events: Iterable[str]
) -> Snapshot:
    """Read what the event needs: `opens` are kinds it may open, `later_events` types that may have come before it.

    Without kinds to open, the snapshot says nothing about what was ever open, tombstones, manager and last caller.
    """
    concerned = subjects_of(event)
    client_id = getattr(event, "client_id", None)
    fields = [*(ID_FIELDS[kind] for kind in concerned), "client_id"]
    kinds, types = list(opens), list(later_events)
    (row,) = await fetch(
        session,
        _statement(bool(kinds), bool(types)),
        list(concerned.values()),
        list(concerned),
        fields,
        client_id,
        event.office_id,
        kinds,
        happened_at,
        types,
    )
    return Snapshot(
        subjects_from_json(row["known"]),
        obligations_from_json(row["obligations"]),
        _EVER_OPENED.validate_json(row["ever"]) if row["ever"] else set(),
        _TOMBSTONES.validate_json(row["tombstones"]) if row["tombstones"] else [],
        _EVENTS.validate_json(row["later"]) if row["later"] else [],
        row["calendar_digest"],
        row["manager_id"],
        row["last_caller_id"],
        row["stamp"],
    )
