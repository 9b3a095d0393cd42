"""Events of `clients`: cards, calls, garage.  The only events that carry personal data."""

from typing import Literal
from uuid import UUID

from shared.contracts.base import Event, Facts, Instant

CallGoal = Literal["first_call", "second_call", "order_contact", "order_offer", "cold_call", "payment_check", "other"]
"""first_call CALL-01, second_call CALL-03, order_contact ORD-04, order_offer CALL-06, cold_call CALL-04,
payment_check BILL-06."""

CallOutcome = Literal["reached", "no_answer", "cannot_talk", "wrong_number"]
ClientKind = Literal["online", "offline_retail", "wholesale", "legal_entity"]
ConsentPurpose = Literal["service", "advertising", "calls"]


class Vehicle(Facts):
    """A car of the garage (CL-15): `vin` or `frame` is given."""

    vehicle_id: UUID
    vin: str | None = None
    frame: str | None = None
    make: str | None = None
    model: str | None = None
    year: int | None = None
    engine: str | None = None


class ClientCard(Facts):
    """The part of a card that other services project."""

    client_id: UUID
    full_name: str
    name_verified: bool
    """CL-05: whether the manager has learnt the real full name."""
    organization_name: str | None = None
    kind: ClientKind
    category: str
    """Price level (CL-01): `retail`, `internet`, `opt5` … `opt10`."""
    group: str | None = None
    phone: str | None = None
    email: str | None = None
    email_confirmed: bool
    city: str | None = None
    time_zone: str
    manager_id: UUID | None = None
    consents: list[ConsentPurpose]
    active: bool


class ClientRegistered(Event, ClientCard, type="clients.client.registered.v1", subject="client_id"):
    """A new client; opens the first-call clock (CALL-01) when `kind` is `online`."""

    office_id: UUID


class ClientChanged(Event, ClientCard, type="clients.client.changed.v1", subject="client_id"):
    """The card changed, including disabling (CL-06) and e-mail confirmation (CL-07)."""

    office_id: UUID


class EmailConfirmationRequested(Event, type="clients.email_confirmation.requested.v1", subject="client_id"):
    """CL-07: the notifier mails the link; the token is single-use and short-lived."""

    office_id: UUID
    client_id: UUID
    full_name: str
    email: str
    confirmation_url: str
    expires_at: Instant


class ContactsRequested(Event, type="clients.contacts.requested.v1", subject="client_id"):
    """CL-06: the phone is wrong or fabricated; the account will otherwise be disabled."""

    office_id: UUID
    client_id: UUID
    full_name: str
    email: str
    disable_at: Instant


class ContactsCorrected(Event, type="clients.contacts.corrected.v1", subject="client_id"):
    """CL-06: a usable phone was given, or the client reached; closes the clock of disabling."""

    office_id: UUID
    client_id: UUID


class CallLogged(Event, type="clients.call.logged.v1", subject="client_id"):
    """A call to a client was entered in the log (CL-11).  One call may serve several goals (K2)."""

    office_id: UUID
    client_id: UUID
    call_id: UUID
    staff_id: UUID
    outcome: CallOutcome
    goals: list[CallGoal]
    order_id: UUID | None = None
    rating: int | None = None
    first_attempt: bool
    """True for the first call ever: the information letter goes out (CALL-02, LET-01)."""
    called_at: Instant
    client_name: str | None = None
    """As it is after the call, which may have taught it (CL-05): the changed card may be heard of later."""


class VehicleSaved(Event, type="clients.vehicle.saved.v1", subject="client_id"):
    """A car was put into the garage or changed (CL-15)."""

    office_id: UUID
    client_id: UUID
    vehicle: Vehicle
