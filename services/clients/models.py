"""Tables of `clients`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from services.clients.domain.call_log import GOAL_LABELS, OUTCOME_LABELS, RATING_LABELS
from services.clients.domain.labels import CONSENT_LABELS, KIND_LABELS, Category, DisabledReason
from services.clients.domain.phones import PhoneSuspicion, show_phone
from shared.contracts.clients import (
    CallGoal,
    CallOutcome,
    ClientChanged,
    ClientKind,
    ClientRegistered,
    ConsentPurpose,
    VehicleSaved,
)
from shared.contracts.clients import Vehicle as VehicleFacts
from shared.database import ClientOwned, Money, OfficeOwned, ServiceBase, Versioned, new_id, new_metadata


class Base(ServiceBase):
    __abstract__ = True
    metadata = new_metadata()


class Client(ClientOwned, Versioned, Base):
    """A card. It belongs to one office; its login, if any, is unique in the network (CL-01…13, CL-16)."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[ClientKind] = mapped_column(Text)
    category: Mapped[str]
    group: Mapped[str | None]
    buyer_group: Mapped[str | None]
    organization_name: Mapped[str | None]
    full_name: Mapped[str]
    name_verified: Mapped[bool] = mapped_column(default=False)
    phone: Mapped[str | None]
    phone_suspicion: Mapped[str | None]
    email: Mapped[str | None]
    email_confirmed_at: Mapped[datetime | None]
    login: Mapped[str | None] = mapped_column(unique=True)
    login_opened_at: Mapped[datetime | None]
    """Since when the login may be used: the e-mail was confirmed (CL-07), or an employee gave the login (CL-16)."""
    region: Mapped[str | None]
    city: Mapped[str | None]
    time_zone: Mapped[str]
    manager_id: Mapped[UUID | None]
    source: Mapped[str | None]
    description: Mapped[str | None]
    rating: Mapped[int | None]
    consents: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Purposes for which a consent is given now; the history is in `consents`."""
    active: Mapped[bool] = mapped_column(default=True)
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    contacts_requested_at: Mapped[datetime | None]
    """Set while the client owes a usable phone (CL-06)."""
    contacts_due_at: Mapped[datetime | None]
    first_call_at: Mapped[datetime | None]
    first_order_at: Mapped[datetime | None]
    """Own projection of `orders.order.placed.v1`, for the cold list (CALL-04)."""
    registered_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('simple'::regconfig, translate(coalesce(full_name, '') || ' ' ||"
            " coalesce(organization_name, ''), 'ёЁ', 'ее'))",
            persisted=True,
        ),
        deferred=True,
    )

    @property
    def id(self) -> UUID:
        return self.client_id

    @property
    def email_confirmed(self) -> bool:
        return self.email_confirmed_at is not None

    @property
    def phone_shown(self) -> str | None:
        return show_phone(self.phone) if self.phone else None

    @property
    def phone_suspicion_label(self) -> str | None:
        return PhoneSuspicion(self.phone_suspicion).label if self.phone_suspicion else None

    @property
    def kind_label(self) -> str:
        return KIND_LABELS[self.kind]

    @property
    def category_label(self) -> str:
        return Category(self.category).label

    @property
    def rating_label(self) -> str | None:
        return RATING_LABELS[self.rating] if self.rating else None

    @property
    def disabled_reason_label(self) -> str | None:
        return DisabledReason(self.disabled_reason).label if self.disabled_reason else None

    def card(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "office_id": self.office_id,
            "version": self.version,
            "full_name": self.full_name,
            "name_verified": self.name_verified,
            "organization_name": self.organization_name,
            "kind": self.kind,
            "category": self.category,
            "group": self.group,
            "phone": self.phone,
            "email": self.email,
            "email_confirmed": self.email_confirmed,
            "city": self.city,
            "time_zone": self.time_zone,
            "manager_id": self.manager_id,
            "consents": self.consents,
            "active": self.active,
        }

    def registered(self) -> ClientRegistered:
        """The event of the state just flushed."""
        return ClientRegistered.model_validate({**self.card(), "occurred_at": self.registered_at})

    def changed(self, at: datetime) -> ClientChanged:
        """The event of the state just flushed."""
        return ClientChanged.model_validate({**self.card(), "occurred_at": at})

    def disable(self, reason: DisabledReason, at: datetime) -> None:
        self.active, self.disabled_at, self.disabled_reason = False, at, reason.value

    def enable(self) -> None:
        self.active, self.disabled_at, self.disabled_reason = True, None, None


Index("ix_clients_list", Client.office_id, Client.registered_at.desc(), Client.client_id.desc())
Index("ix_clients_of_manager", Client.manager_id, Client.registered_at.desc(), Client.client_id.desc())
Index("ix_clients_network_list", Client.registered_at.desc(), Client.client_id.desc())
Index("ix_clients_phone", Client.phone)
Index(
    "ix_clients_phone_ending", func.reverse(Client.phone).label("ending"), postgresql_ops={"ending": "text_pattern_ops"}
)
Index("ix_clients_email", Client.email)
Index(
    "ix_clients_cold",
    Client.office_id,
    Client.registered_at,
    Client.client_id,
    postgresql_where=Client.first_order_at.is_(None),
)
Index("ix_clients_words", Client.words, postgresql_using="gin")


class EmailConfirmation(OfficeOwned, Base):
    """A link that was mailed (CL-07); only the token's hash is kept."""

    __tablename__ = "email_confirmations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[UUID] = mapped_column(index=True)
    email: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Call(OfficeOwned, Base):
    """An entry of the log (CL-11). Insert-only; the client does not see it."""

    __tablename__ = "calls"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    caller: Mapped[str]
    """The caller's full name at the time of the call."""
    outcome: Mapped[CallOutcome] = mapped_column(Text)
    goals: Mapped[list[CallGoal]] = mapped_column(ARRAY(Text))
    order_id: Mapped[UUID | None]
    rating: Mapped[int | None]
    comment: Mapped[str]
    objection: Mapped[str | None]
    source: Mapped[str | None]
    called_at: Mapped[datetime]

    @property
    def outcome_label(self) -> str:
        return OUTCOME_LABELS[self.outcome]

    @property
    def goal_labels(self) -> list[str]:
        return [GOAL_LABELS[goal] for goal in self.goals]

    @property
    def rating_label(self) -> str | None:
        return RATING_LABELS[self.rating] if self.rating else None


Index("ix_calls_of_client", Call.client_id, Call.called_at.desc(), Call.id.desc())


class Vehicle(ClientOwned, Versioned, Base):
    """A car of «Мой гараж» (CL-15). A removed one stays for the orders and requests that name it."""

    __tablename__ = "vehicles"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vin: Mapped[str | None]
    frame: Mapped[str | None]
    make: Mapped[str | None]
    model: Mapped[str | None]
    year: Mapped[int | None]
    engine: Mapped[str | None]
    note: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def saved(self, at: datetime) -> VehicleSaved:
        """The event of the state just flushed; its version is the vehicle's."""
        return VehicleSaved(
            office_id=self.office_id,
            client_id=self.client_id,
            version=self.version,
            occurred_at=at,
            vehicle=self.facts(),
        )

    def facts(self) -> VehicleFacts:
        return VehicleFacts(
            vehicle_id=self.id,
            vin=self.vin,
            frame=self.frame,
            make=self.make,
            model=self.model,
            year=self.year,
            engine=self.engine,
        )


Index("ix_vehicles_of_client", Vehicle.client_id, Vehicle.created_at.desc(), Vehicle.id.desc())
Index("uq_vehicles_vin", Vehicle.client_id, Vehicle.vin, unique=True, postgresql_where=Vehicle.vin.is_not(None))
Index("uq_vehicles_frame", Vehicle.client_id, Vehicle.frame, unique=True, postgresql_where=Vehicle.frame.is_not(None))


class PriceCheck(ClientOwned, Base):
    """What a client priced on the site (CL-14)."""

    __tablename__ = "price_checks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    article: Mapped[str]
    brand: Mapped[str]
    description: Mapped[str | None]
    price: Mapped[Money | None]
    term_days: Mapped[int | None]
    checked_at: Mapped[datetime]


Index("ix_price_checks_of_client", PriceCheck.client_id, PriceCheck.checked_at.desc(), PriceCheck.id.desc())


class Consent(ClientOwned, Base):
    """A consent for one purpose to one version of its document; withdrawn ones stay."""

    __tablename__ = "consents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[ConsentPurpose] = mapped_column(Text)
    document_version: Mapped[int]
    given_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None]
    """None when the client gave it without help."""
    withdrawn_at: Mapped[datetime | None]

    @property
    def purpose_label(self) -> str:
        return CONSENT_LABELS[self.purpose]


Index("ix_consents_of_client", Consent.client_id, Consent.given_at.desc(), Consent.id.desc())
Index(
    "uq_consents_in_force",
    Consent.client_id,
    Consent.purpose,
    unique=True,
    postgresql_where=Consent.withdrawn_at.is_(None),
)


class Content(Base):
    """Editable texts: the contract, consents, scripts (CL-19, CALL-01, CALL-05). Insert-only versions."""

    __tablename__ = "contents"
    __table_args__ = (UniqueConstraint("code", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    number: Mapped[int]
    """Version of the text, from 1."""
    title: Mapped[str]
    body: Mapped[str]
    effective_from: Mapped[datetime]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]


class Policy(Base):
    """Head office's figures for CL-06 and CALL-04, with the date from which they hold. Insert-only."""

    __tablename__ = "policies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    answer_within: Mapped[int]
    """Time to give a usable phone; then the account is disabled."""
    unit: Mapped[str]
    """Of `answer_within`: `calendar_hours`, or `seconds` for demonstrations."""
    cards_per_phone: Mapped[int]
    """On more cards than this one number is not believed."""
    cold_from_days: Mapped[int]
    """The cold list begins with those who registered so many days ago …"""
    cold_until_days: Mapped[int]
    """… and ends with these."""
    effective_from: Mapped[datetime] = mapped_column(index=True)
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]


class Office(Base):
    """Projection of `control.office.changed.v1`: what a visitor of the site may know of an office."""

    __tablename__ = "offices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    city: Mapped[str]
    address: Mapped[str]
    time_zone: Mapped[str]
    phones: Mapped[list[str]] = mapped_column(ARRAY(Text))
    email: Mapped[str]
    legal_name: Mapped[str]
    courier_delivery: Mapped[bool]
    active: Mapped[bool]
    version: Mapped[int]


class StaffMember(OfficeOwned, Base):
    """Projection of `control.staff.changed.v1`: who can be a responsible manager (CL-10)."""

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    role: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str]
    active: Mapped[bool]
    version: Mapped[int]
    client_assigned_at: Mapped[datetime | None]
    """Own column: when this person last got a new client, for the round."""


Index("ix_staff_round", StaffMember.office_id, StaffMember.role, StaffMember.client_assigned_at.nulls_first())


class Duty(OfficeOwned, Base):
    """Projection of the notifier's obligations to call a client (CALL-01…04, CALL-06, ORD-04, BILL-06)."""

    __tablename__ = "duties"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    rule_code: Mapped[str]
    clause: Mapped[str]
    goal: Mapped[CallGoal] = mapped_column(Text)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    responsible_staff_id: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warned: Mapped[bool]
    breached: Mapped[bool]
    open: Mapped[bool]
    version: Mapped[int]


Index("ix_duties_list", Duty.office_id, Duty.due_at, Duty.id, postgresql_where=text("open"))
Index("ix_duties_network_list", Duty.due_at, Duty.id, postgresql_where=text("open"))
Index("ix_duties_of_client", Duty.client_id, postgresql_where=text("open"))
