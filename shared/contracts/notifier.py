"""Events of `notifier`: what became of the clocks."""

from typing import Literal
from uuid import UUID

from shared.contracts.base import Event, Facts, Instant

SubjectKind = Literal["client", "order", "position", "vin_request", "inquiry", "claim", "invoice"]


class ObligationFacts(Facts):
    """A duty with a deadline and what it is about."""

    obligation_id: UUID
    rule_code: str
    """For example `ORD-07`; the clause is `clause`."""
    clause: str
    rule_version: int
    generation: int
    subject_kind: SubjectKind
    subject_id: UUID
    client_id: UUID | None = None
    responsible_staff_id: UUID | None = None
    opened_at: Instant
    due_at: Instant


class ObligationOpened(Event, ObligationFacts, type="notifier.obligation.opened.v1", subject="obligation_id"):
    office_id: UUID


class ObligationWarned(Event, ObligationFacts, type="notifier.obligation.warned.v1", subject="obligation_id"):
    """The deadline is near (NTF-03)."""

    office_id: UUID


class ObligationBreached(Event, ObligationFacts, type="notifier.obligation.breached.v1", subject="obligation_id"):
    """The deadline passed.  Published once per generation."""

    office_id: UUID
    breached_at: Instant
    penalty_points: int


class ObligationLimitReached(
    Event, ObligationFacts, type="notifier.obligation.limit_reached.v1", subject="obligation_id"
):
    """A request to act, for the services that own the subject: they check their own state again.

    `remove_order` is ORD-07 (orders), `disable_client` is CL-06 (clients).
    """

    office_id: UUID
    action: Literal["remove_order", "disable_client"]
    reached_at: Instant


class ObligationClosed(Event, ObligationFacts, type="notifier.obligation.closed.v1", subject="obligation_id"):
    """`done` in time or late, `cancelled` when the duty fell away, `superseded` by changed facts."""

    office_id: UUID
    outcome: Literal["done", "cancelled", "superseded"]
    breached: bool
    closed_at: Instant
