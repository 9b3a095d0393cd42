"""The card, confirmations of its e-mail and its consents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.clients.domain.call_log import RATING_LABELS
from services.clients.domain.labels import CONSENT_LABELS, KIND_LABELS, Category, DisabledReason
from services.clients.domain.phones import PhoneSuspicion
from services.clients.models.base import Base
from shared.contracts.clients import (
    ClientChanged,
    ClientKind,
    ClientRegistered,
    ConsentPurpose,
)
from shared.persistence.database import ClientOwned, OfficeOwned, Versioned, new_id
from shared.vocabulary.phones import show_phone


class Client(ClientOwned, Versioned, Base):
    """A card.  It belongs to one office; its login, if any, is unique in the network."""

    __tablename__ = "clients"

    client_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[ClientKind] = mapped_column(Text)
    category: Mapped[str]
    """The price level.  CL-01, in part: it is kept here, no price is computed from it."""
    group: Mapped[str | None]
    """«Группа клиента» (CL-02)."""
    buyer_group: Mapped[str | None]
    """«Покупатель».  CL-03, in part: free text, no document depends on it."""
    organization_name: Mapped[str | None]
    """«Наименование организации».  CL-04, in part: documents name it, a legal entity may be saved without it."""
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
    """Set while the client is asked for a usable phone (CL-06)."""
    contacts_due_at: Mapped[datetime | None]
    first_call_at: Mapped[datetime | None]
    first_order_at: Mapped[datetime | None]
    """Own projection of `orders.order.placed.v1`, for the cold list (CALL-04)."""
    registered_at: Mapped[datetime]

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
        """Return what both events of a card carry."""
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
        """Return the event of the state just flushed."""
        return ClientRegistered.model_validate({**self.card(), "occurred_at": self.registered_at})

    def changed(self, at: datetime) -> ClientChanged:
        """Return the event of the state just flushed."""
        return ClientChanged.model_validate({**self.card(), "occurred_at": at})

    def disable(self, reason: DisabledReason, at: datetime) -> None:
        self.active, self.disabled_at, self.disabled_reason = False, at, reason.value

    def enable(self) -> None:
        self.active, self.disabled_at, self.disabled_reason = True, None, None


_NEWEST = (Client.registered_at.desc(), Client.client_id.desc())
Index("ix_clients_list", Client.office_id, *_NEWEST)
Index("ix_clients_of_manager", Client.manager_id, *_NEWEST)
Index("ix_clients_network_list", *_NEWEST)
Index("ix_clients_phone_suspect", *_NEWEST, postgresql_where=Client.phone_suspicion.is_not(None))
Index("ix_clients_contacts_requested", *_NEWEST, postgresql_where=Client.contacts_requested_at.is_not(None))
Index("ix_clients_disabled", *_NEWEST, postgresql_where=~Client.active)
Index("ix_clients_category", Client.category, *_NEWEST)
Index("ix_clients_rating", Client.rating, *_NEWEST, postgresql_where=Client.rating.is_not(None))
Index("ix_clients_group", Client.group, *_NEWEST, postgresql_where=Client.group.is_not(None))
Index("ix_clients_phone", Client.phone)
Index("ix_clients_email", Client.email)
Index(
    "ix_clients_cold",
    Client.office_id,
    Client.registered_at,
    Client.client_id,
    postgresql_where=Client.first_order_at.is_(None),
)


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
