"""Write what one transaction changes about obligations with one statement.

A statement per table and row costs more than everything else that the clock does; so rows are gathered, passed as JSON
and spread by PostgreSQL.  Paid for by `benchmarks/clock/event_application.py` and `benchmarks/clock/firing.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.obligation import COLUMNS, ObligationRecord, obligations_as_json
from services.notifier.delivery.domain.delivery import SEND_CHANNEL
from shared.contracts.base import Event
from shared.messaging.outbox import outbox_rows
from shared.persistence.raw_sql import fetch

WAKE_CHANNEL = "notifier_clock"
PAUSES_CHANNEL = "notifier_pauses"

WORKER_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}
"""For the connections of consumers and loops: planning these statements anew each time takes longer than running them,
and as PostgreSQL cannot know how few rows the JSON has, it would read whole tables to join them."""

Row = dict[str, Any]


@dataclass(slots=True)
class UnitOfWork:
    """Gathered by the use case, written at its end by `flush`."""

    subjects: list[Row] = field(default_factory=list)
    tombstones: list[Row] = field(default_factory=list)
    opened: list[ObligationRecord] = field(default_factory=list)
    changed: dict[Any, ObligationRecord] = field(default_factory=dict)
    fired: list[ObligationRecord] = field(default_factory=list)
    """Changed by the engine in nothing but the columns of `_FIRING`."""
    levels: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    remarks: list[Row] = field(default_factory=list)
    received_events: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    wake_engine: bool = False
    wake_pauses: bool = False
    """Whether a pause may end before the loop that ends pauses wakes up by itself."""

    def mark_changed(self, obligation: ObligationRecord) -> None:
        """Store the obligation as it is when everything is written; a new one is stored anyway."""
        if not any(obligation is new for new in self.opened):
            self.changed[obligation.id] = obligation


_FIRING = ("version", "warned_at", "breached_at", "next_step", "next_at")
_NEVER_CHANGED = ("id", "subject_kind", "subject_id", "opened_at", "duty")


def _rows_of(table: str, parameter: str) -> str:
    return f"json_populate_recordset(NULL::{table}, CAST(:{parameter} AS json)) AS n"


def _insert(table: str, parameter: str, columns: Sequence[str]) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {_rows_of(table, parameter)}"


def _update(parameter: str, columns: Sequence[str]) -> str:
    assignments = ", ".join(f"{name} = n.{name}" for name in columns)
    return f"UPDATE obligations o SET {assignments} FROM {_rows_of('obligations', parameter)} WHERE o.id = n.id"


_SUBJECT = ("kind", "subject_id", "office_id", "client_id", "staff_id", "label", "facts", "moments")
_HISTORY = ("id", "obligation_id", "office_id", "generation", "event", "at", "details")
_LEVEL = (
    "obligation_id",
    "generation",
    "level",
    "office_id",
    "kind",
    "role",
    "told",
    "planned_at",
    "fired_at",
)
_NOTICE = (
    "id",
    "office_id",
    "channel",
    "purpose",
    "template",
    "client_id",
    "staff_id",
    "obligation_id",
    "subject_kind",
    "subject_id",
    "recipient",
    "recipient_name",
    "time_zone",
    "sender_name",
    "context",
    "state",
    "attempts",
    "next_attempt_at",
    "expires_at",
)

_REMARK = ("id", "obligation_id", "office_id", "generation", "event", "at", "staff_id", "text")

# The first ending counts for what comes once, the latest for the rest.
_TOMBSTONES = (
    _insert("tombstones", "tombstones", ("duty", "field", "value", "outcome", "once", "happened_at"))
    + " ON CONFLICT (duty, field, value) DO UPDATE SET outcome = excluded.outcome, happened_at = excluded.happened_at"
    " WHERE CASE WHEN excluded.once THEN excluded.happened_at < tombstones.happened_at"
    " ELSE excluded.happened_at > tombstones.happened_at END"
)
_PARTS = {
    "subjects": _insert("subjects", "subjects", _SUBJECT)
    + " ON CONFLICT (kind, subject_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in ("client_id", "staff_id", "label", "facts", "moments")),
    "tombstones": _TOMBSTONES,
    "opened": _insert("obligations", "opened", COLUMNS),
    "changed": _update("changed", [name for name in COLUMNS if name not in _NEVER_CHANGED]),
    "fired": _update("fired", _FIRING),
    "levels": _insert("obligation_levels", "levels", _LEVEL),
    "history": _insert("obligation_history", "history", _HISTORY),
    "notices": _insert("notices", "notices", _NOTICE),
    "remarks": _insert("obligation_remarks", "remarks", _REMARK),
    "received_events": _insert("heard_events", "received_events", ("id", "office_id", "type", "happened_at", "body")),
    "events": "INSERT INTO outbox (event_id, type, subject, office_id, body, headers)"
    " SELECT n.event_id, n.type, n.subject, n.office_id, convert_to(n.body, 'UTF8'), n.headers"
    " FROM json_to_recordset(CAST(:events AS json))"
    " AS n(event_id uuid, type text, subject text, office_id uuid, body text, headers jsonb)",
}


@cache
def _statement(parts: tuple[str, ...], channels: tuple[str, ...]) -> str:
    tables = ", ".join(f"{name} AS ({_PARTS[name]})" for name in parts)
    for number, name in enumerate(parts, start=1):
        tables = tables.replace(f":{name} AS json", f"${number} AS json")
    woken = ", ".join(f"pg_notify('{channel}', '')" for channel in channels) or "1"
    return f"WITH {tables} SELECT {woken}"


async def flush(session: AsyncSession, work: UnitOfWork) -> None:
    """Write everything in one round trip.  Foreign keys are checked when all of it is there."""
    values: dict[str, Any] = {}
    for part in fields(work):
        rows: Any = getattr(work, part.name)
        if part.name in ("wake_engine", "wake_pauses") or not rows:
            continue
        if part.name == "changed":
            rows = list(rows.values())
        if part.name == "fired":
            rows = [{name: getattr(obligation, name) for name in ("id", *_FIRING)} for obligation in rows]
        if part.name == "events":
            rows = outbox_rows(rows)
        values[part.name] = obligations_as_json(rows) if part.name in ("opened", "changed") else to_json(rows).decode()
    if not values:
        return
    wakes = {WAKE_CHANNEL: work.wake_engine, PAUSES_CHANNEL: work.wake_pauses, SEND_CHANNEL: bool(work.notices)}
    channels = [channel for channel, wake in wakes.items() if wake]
    await fetch(session, _statement(tuple(values), tuple(channels)), *values.values())
