"""Offices and the versions of their calendars."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.control.models.base import Base
from shared.contracts.control import BankAccount, OfficeChanged, Requisites, VatSetting
from shared.persistence.database import Instant, OfficeOwned, Versioned, new_id
from shared.vocabulary.worktime import WorkingCalendar


class Office(Base, OfficeOwned, Versioned):
    """An office (ORG-01).  Documents that its event carries whole are kept whole, as JSON of their contract classes."""

    __tablename__ = "offices"
    __table_args__ = (Index("ix_offices_name_office_id", "name", "office_id"),)

    office_id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(500))
    time_zone: Mapped[str] = mapped_column(String(64))
    phones: Mapped[list[str]] = mapped_column(JSONB)
    email: Mapped[str] = mapped_column(String(254))
    requisites: Mapped[dict[str, Any]] = mapped_column(JSONB)
    bank_accounts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    vat: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    courier_delivery: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[Instant]
    changed_at: Mapped[Instant]

    @property
    def working_calendar(self) -> WorkingCalendar:
        return WorkingCalendar.model_validate(self.calendar)

    @property
    def vat_settings(self) -> list[VatSetting]:
        return [VatSetting.model_validate(setting) for setting in self.vat]

    def changed(self) -> OfficeChanged:
        """Return the event of the state just flushed: the version on it is the new one."""
        return OfficeChanged(
            office_id=self.office_id,
            version=self.version,
            occurred_at=self.changed_at,
            name=self.name,
            city=self.city,
            address=self.address,
            time_zone=self.time_zone,
            phones=self.phones,
            email=self.email,
            requisites=Requisites.model_validate(self.requisites),
            bank_accounts=[BankAccount.model_validate(account) for account in self.bank_accounts],
            vat=self.vat_settings,
            calendar=self.working_calendar,
            courier_delivery=self.courier_delivery,
            active=self.active,
        )


class OfficeCalendar(Base, OfficeOwned):
    """Every version of an office's calendar: a deadline names the version it was counted by."""

    __tablename__ = "office_calendars"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.office_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    set_by: Mapped[UUID]
    set_at: Mapped[Instant]
