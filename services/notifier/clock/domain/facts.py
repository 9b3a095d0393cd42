"""What each event says about the subjects of obligations.

A subject (an order, a client …) collects facts from the events that concern it.  Events may arrive in any order: a fact
is replaced only by one from a later moment, so the result does not depend on the order of arrival.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.notifier.clock.domain.rules import SubjectKind
from shared.contracts import billing, clients, orders, vin
from shared.contracts.base import EVENT_TYPES, Event

ID_FIELDS: Mapping[SubjectKind, str] = {
    "client": "client_id",
    "order": "order_id",
    "position": "position_id",
    "vin_request": "request_id",
    "inquiry": "inquiry_id",
    "claim": "claim_id",
    "invoice": "invoice_id",
    "office": "office_id",
    "staff": "staff_id",
}

DEFAULTS: Mapping[SubjectKind, Mapping[str, Any]] = {
    "client": {"ordered": False},
    "order": {"checked": False},
}
"""Facts that are false until some event says otherwise.  Every other fact is unknown until an event names it."""


@dataclass(frozen=True)
class Concern:
    """What one event type says about one kind of subject."""

    kind: SubjectKind
    takes: tuple[str, ...] = ()
    """Fields of the event that become facts of the subject."""
    sets: Mapping[str, Any] = field(default_factory=dict)
    """Facts that the event's mere happening makes true.  They win over a field taken at the same moment."""
    moment: str = "occurred_at"
    """The field that says when it happened."""


_CARD = ("kind", "category", "group", "email_confirmed", "city", "active")

CONCERNS: Mapping[str, tuple[Concern, ...]] = {
    clients.ClientRegistered.type: (Concern("client", _CARD),),
    clients.ClientChanged.type: (Concern("client", _CARD),),
    clients.ContactsRequested.type: (Concern("client", ("disable_at",)),),
    clients.ContactsCorrected.type: (Concern("client"),),
    clients.CallLogged.type: (
        Concern("client", ("outcome", "goals", "rating", "first_attempt"), moment="called_at"),
        Concern("order", ("outcome", "goals"), moment="called_at"),
    ),
    orders.OrderPlaced.type: (
        Concern(
            "order",
            ("client_category", "wholesale", "channel", "total", "check_requested", "paid"),
            moment="placed_at",
        ),
        Concern("client", sets={"ordered": True}, moment="placed_at"),
    ),
    orders.ApplicabilityChecked.type: (Concern("order", sets={"checked": True}),),
    orders.OrderProcessed.type: (Concern("order", sets={"processed": True}),),
    billing.OrderPaid.type: (Concern("order", sets={"paid": True}, moment="paid_at"),),
    billing.InvoiceIssued.type: (Concern("invoice", ("amount",), moment="issued_at"),),
    billing.InvoicePaid.type: (Concern("invoice", sets={"paid": True}),),
    vin.VinRequestSubmitted.type: (Concern("vin_request", ("preference",), moment="submitted_at"),),
    vin.VinRequestAnswered.type: (Concern("vin_request", sets={"answered": True}, moment="answered_at"),),
    orders.ClaimOpened.type: (Concern("claim", ("kind", "amount"), moment="opened_at"),),
    orders.ClaimDecided.type: (Concern("claim", ("decision",), moment="decided_at"),),
    orders.InquiryRecorded.type: (Concern("inquiry", ("channel", "mark", "status"), moment="recorded_at"),),
    orders.InquiryStatusChanged.type: (Concern("inquiry", ("mark", "status")),),
}
"""Every event type that rules may name."""

StoredFacts = Mapping[str, list[Any]]
"""Fact → [value, ISO moment, 1 when set by the event's happening else 0]."""


def known_facts(kind: SubjectKind) -> frozenset[str]:
    """Return the facts that conditions on this kind of subject may ask for."""
    names = set(DEFAULTS.get(kind, {}))
    for concerns in CONCERNS.values():
        for concern in concerns:
            if concern.kind == kind:
                names.update(concern.takes, concern.sets)
    return frozenset(names)


def concern_of(event_type: str, kind: SubjectKind) -> Concern | None:
    """Return what the event type says about this kind of subject, or None."""
    return next((concern for concern in CONCERNS.get(event_type, ()) if concern.kind == kind), None)


def subject_id(event: Event, kind: SubjectKind) -> UUID | None:
    """Return the id of the event's subject of this kind, or None."""
    value = getattr(event, ID_FIELDS[kind], None)
    return value if isinstance(value, UUID) else None


def moment_of(event: Event, concern: Concern) -> datetime:
    """Return when the event happened to the subject, in UTC."""
    moment: datetime = getattr(event, concern.moment)
    return moment.astimezone(UTC)


def facts_of_event(event: Event) -> dict[str, Any]:
    """Return the event's own fields as JSON values, for the conditions of triggers."""
    return event.model_dump(mode="json")


_PERSONAL_FIELDS = {
    "full_name",
    "organization_name",
    "phone",
    "email",
    "client_name",
    "reason",
    "comment",
    "name_verified",
    "number",
}


def seen_by_rules(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain fields of an event that conditions may ask for, without personal data and free text."""
    return {
        name: value
        for name, value in body.items()
        if name not in _PERSONAL_FIELDS and not isinstance(value, dict) and not _nested(value)
    }


def _nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict | list) for item in value)


def merge(stored: StoredFacts, body: Mapping[str, Any], event: Event, concern: Concern) -> dict[str, list[Any]]:
    """Return `stored` with what the event (and its JSON, `body`) adds; what is known from a later moment stays."""
    moment = moment_of(event, concern).isoformat(timespec="microseconds")
    merged = dict(stored)
    taken = [(name, body[name], 0) for name in concern.takes if body[name] is not None]  # An empty field says nothing.
    pairs = taken + [(name, value, 1) for name, value in concern.sets.items()]
    for name, value, weight in pairs:
        current = merged.get(name)
        if current is None or (moment, weight) >= (current[1], current[2]):
            merged[name] = [value, moment, weight]
    return merged


def plain_facts(kind: SubjectKind, stored: StoredFacts) -> dict[str, Any]:
    """Return the values of the stored facts, with the defaults of the kind of subject."""
    return {**DEFAULTS.get(kind, {}), **{name: entry[0] for name, entry in stored.items()}}


def event_fields(event_type: str) -> frozenset[str]:
    """Return the names of the fields of an event type."""
    return frozenset(EVENT_TYPES[event_type].model_fields)
