"""Events of `control`: offices and staff.  Both carry the whole state, so that a projection needs nothing else."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator

from shared.contracts.base import Event, Facts
from shared.vocabulary.worktime import WorkingCalendar

StaffRole = Literal["assistant", "manager", "senior_manager", "director", "head_office", "mystery_checker"]


def _known_fields(value: object) -> object:
    """A calendar refuses unknown fields from people; an event may carry fields that came later."""
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if name in WorkingCalendar.model_fields}
    return value


class Requisites(Facts):
    """Legal requisites of an office (ORG-01), validated by `control`."""

    legal_name: str
    inn: str
    kpp: str | None = None
    ogrn: str
    legal_address: str
    director_name: str
    accountant_name: str | None = None


class BankAccount(Facts):
    bic: str
    bank_name: str
    account: str
    correspondent_account: str


class VatSetting(Facts):
    """VAT of an office from a date on: 20 means 20 %, None means «без НДС»."""

    effective_from: date
    rate_percent: int | None


class OfficeChanged(Event, type="control.office.changed.v1", subject="office_id"):
    """An office was opened or changed (ORG-01)."""

    office_id: UUID
    name: str
    city: str
    address: str
    time_zone: str
    phones: list[str]
    email: str
    requisites: Requisites
    bank_accounts: list[BankAccount]
    vat: list[VatSetting]
    calendar: Annotated[WorkingCalendar, BeforeValidator(_known_fields)]
    courier_delivery: bool = False
    active: bool = True


class StaffChanged(Event, type="control.staff.changed.v1", subject="staff_id"):
    """Somebody was hired, changed or dismissed (ORG-02).  Head office people have no office."""

    staff_id: UUID
    full_name: str
    role: StaffRole
    email: str
    phone: str | None = None
    active: bool
