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


class ConsentWithdrawn(Event, type="notifier.consent.withdrawn.v1", subject="client_id"):
    """The client wants no more advertising.  `clients` takes the consent back, unless it was given again since."""

    office_id: UUID
    client_id: UUID
    purpose: Literal["advertising"]
    source: Literal["link", "stop_word"]
    withdrawn_at: Instant


class MailReceived(Event, type="notifier.mail.received.v1", subject="mail_id"):
    """CALL-12: somebody wrote to the office's mailbox.  The letter itself stays with `notifier`: no personal data."""

    office_id: UUID
    mail_id: UUID
    thread_id: UUID
    """The conversation's first letter, which may be this one; or the notice that the client answers."""
    client_id: UUID | None = None
    """Whose card has the sender's address."""
    received_at: Instant


class MailAnswered(Event, type="notifier.mail.answered.v1", subject="mail_id"):
    """CALL-12: the office answered a letter."""

    office_id: UUID
    mail_id: UUID
    thread_id: UUID
    staff_id: UUID
    answered_at: Instant


class PhoneCallEnded(Event, type="notifier.phone_call.ended.v1", subject="call_id"):
    """A call went through the office's telephone exchange (CALL-09)."""

    office_id: UUID
    call_id: UUID
    direction: Literal["in", "out"]
    client_id: UUID | None = None
    began_at: Instant
    answered_at: Instant | None = None
    ended_at: Instant
    in_time: bool | None = None
    """Of an incoming call: whether it was answered by the third ring; None while that cannot be said."""


class CalendarDutyChanged(Event, type="notifier.calendar_duty.changed.v1", subject="obligation_id"):
    """What became of a duty that comes by the calendar (RPT-01…06, HR-02, HR-03, CALL-04), with its whole state."""

    office_id: UUID
    obligation_id: UUID
    rule_code: str
    clause: str
    rule_version: int
    generation: int
    happened: Literal["opened", "warned", "breached", "done", "cancelled", "superseded"]
    per: Literal["office", "staff"]
    """Whether it is the office's or each manager's own."""
    label: str
    """For people: whose it is and for which day, week or month."""
    responsible_staff_id: UUID | None = None
    opened_at: Instant
    due_at: Instant
    closed_at: Instant | None = None
    breached: bool
    """Whether the deadline passed while it was open."""
    penalty_points: int
    """HR-03: what a breach costs."""
