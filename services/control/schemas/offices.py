"""Bodies about offices, their requisites, VAT and calendars."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator, model_validator

from services.control.schemas.fields import Phone, PlannedDay, TimeZone
from shared.contracts.control import BankAccount, Requisites, VatSetting
from shared.vocabulary.fields import AccountNumber, Address, Bic, Email, Inn, Kpp, Ogrn, PlaceName
from shared.vocabulary.requisites import check_account, check_correspondent_account
from shared.vocabulary.worktime import WorkingCalendar
from shared.vocabulary.worktime.calendar import MINUTES_A_DAY, DayHours
from shared.web import Input, Output, ShortText

WEEK: list[list[list[str]]] = [[["09:00", "13:00"], ["14:00", "18:00"]]] * 5 + [[], []]
OFFICE: dict[str, Any] = {
    "name": "ПроДеталь-Мира 45",
    "city": "Екатеринбург",
    "address": "ул. Мира, 45",
    "time_zone": "Asia/Yekaterinburg",
    "phones": ["+7 343 200-00-00"],
    "email": "mira45@prodetal.example",
    "requisites": {
        "legal_name": "ООО «ПроДеталь»",
        "inn": "7707083893",
        "kpp": "773601001",
        "ogrn": "1027700132195",
        "legal_address": "620000, Екатеринбург, ул. Мира, 45",
        "director_name": "Петров Пётр Петрович",
    },
    "bank_accounts": [
        {
            "bic": "044525225",
            "bank_name": "ПАО Сбербанк",
            "account": "40702810938000012345",
            "correspondent_account": "30101810400000000225",
        }
    ],
    "vat": [{"effective_from": "2026-01-01", "rate_percent": 22}],
    "calendar": {"weekly": WEEK, "public_holidays": True},
}
"""An example that can be sent unchanged."""


class RequisitesIn(Input):
    """Реквизиты: у организации КПП и ОГРН из 13 цифр, у предпринимателя КПП нет, а ОГРНИП из 15 цифр."""

    model_config = ConfigDict(json_schema_extra={"examples": [OFFICE["requisites"]]})

    legal_name: ShortText = Field(examples=["ООО «ПроДеталь»"])
    inn: Inn = Field(examples=["7707083893"])
    kpp: Kpp | None = Field(default=None, examples=["773601001"])
    ogrn: Ogrn = Field(examples=["1027700132195"])
    legal_address: Address
    director_name: ShortText
    accountant_name: ShortText | None = None

    @model_validator(mode="after")
    def _one_kind_of_owner(self) -> Self:
        is_company = len(self.inn) == 10
        if is_company != (len(self.ogrn) == 13):
            raise ValueError("ИНН и ОГРН разного рода: у организации 10 и 13 цифр, у предпринимателя 12 и 15")
        if is_company != (self.kpp is not None):
            raise ValueError("КПП обязателен у организации и не бывает у предпринимателя")
        return self

    def as_contract(self) -> Requisites:
        return Requisites.model_validate(self.model_dump())


class BankAccountIn(Input):
    """Банковский счёт: ключи обоих счетов сверяются с БИК."""

    model_config = ConfigDict(json_schema_extra={"examples": OFFICE["bank_accounts"]})

    bic: Bic = Field(examples=["044525225"])
    bank_name: ShortText = Field(examples=["ПАО Сбербанк"])
    account: AccountNumber = Field(examples=["40702810938000012345"])
    correspondent_account: AccountNumber = Field(examples=["30101810400000000225"])

    @model_validator(mode="after")
    def _keys_match_the_bic(self) -> Self:
        check_account(self.bic, self.account)
        check_correspondent_account(self.bic, self.correspondent_account)
        return self

    def as_contract(self) -> BankAccount:
        return BankAccount.model_validate(self.model_dump())


class VatRateIn(Input):
    rate_percent: Annotated[int, Field(ge=0, le=99)] | None = Field(
        description="null означает «без НДС»", examples=[20]
    )


class VatSettingIn(VatRateIn):
    effective_from: PlannedDay

    def as_contract(self) -> VatSetting:
        return VatSetting(effective_from=self.effective_from, rate_percent=self.rate_percent)


class CalendarIn(Input):
    """Рабочее время: часовой пояс берётся у офиса, номер версии присваивает система."""

    model_config = ConfigDict(json_schema_extra={"examples": [OFFICE["calendar"]]})

    weekly: Annotated[tuple[DayHours, ...], Field(min_length=7, max_length=7)] = Field(
        description="Часы работы с понедельника по воскресенье; перерыв между двумя промежутками — обед",
        examples=[WEEK],
    )
    exceptions: dict[PlannedDay, DayHours] = Field(default_factory=dict, max_length=1000)
    public_holidays: bool = False
    shortened_days: dict[PlannedDay, Annotated[int, Field(ge=0, le=MINUTES_A_DAY)]] = Field(
        default_factory=dict, max_length=1000
    )
    time_zone: TimeZone | None = Field(default=None, description="Если указан, должен совпадать с поясом офиса")
    version: int | None = Field(default=None, ge=1, le=2_147_483_647, description="Не учитывается")

    @field_validator("weekly")
    @classmethod
    def _works_at_all(cls, weekly: tuple[DayHours, ...]) -> tuple[DayHours, ...]:
        if not any(weekly):
            raise ValueError("в неделе должен быть хотя бы один рабочий день")
        return weekly

    def as_contract(self, time_zone: str, version: int) -> WorkingCalendar:
        return WorkingCalendar(
            time_zone=time_zone,
            weekly=self.weekly,
            exceptions=self.exceptions,
            public_holidays=self.public_holidays,
            shortened_days=self.shortened_days,
            version=version,
        )


class OpenOffice(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [OFFICE]})

    name: ShortText = Field(examples=["ПроДеталь-Мира 45"])
    city: PlaceName = Field(examples=["Екатеринбург"])
    address: Address = Field(examples=["ул. Мира, 45"])
    time_zone: TimeZone = Field(examples=["Asia/Yekaterinburg"])
    phones: Annotated[list[Phone], Field(min_length=1, max_length=10)] = Field(examples=[["+73432000000"]])
    email: Email = Field(examples=["mira45@prodetal.example"])
    requisites: RequisitesIn
    bank_accounts: Annotated[list[BankAccountIn], Field(min_length=1, max_length=10)]
    vat: Annotated[list[VatSettingIn], Field(min_length=1, max_length=50)]
    calendar: CalendarIn
    courier_delivery: bool = False

    @field_validator("vat")
    @classmethod
    def _one_rate_a_day(cls, vat: list[VatSettingIn]) -> list[VatSettingIn]:
        if len({setting.effective_from for setting in vat}) < len(vat):
            raise ValueError("на одну дату задано две ставки НДС")
        return vat


class ChangeOffice(Input):
    """Передайте только то, что меняется; null оставляет прежнее значение."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "ПроДеталь-Мира 46", "courier_delivery": True}]})

    name: ShortText | None = None
    city: PlaceName | None = None
    address: Address | None = None
    time_zone: TimeZone | None = Field(default=None, description="Календарь офиса получает новую версию в этом поясе")
    phones: Annotated[list[Phone], Field(min_length=1, max_length=10)] | None = None
    email: Email | None = None
    requisites: RequisitesIn | None = None
    bank_accounts: Annotated[list[BankAccountIn], Field(min_length=1, max_length=10)] | None = None
    courier_delivery: bool | None = None
    active: bool | None = Field(default=None, description="false закрывает офис, в котором не осталось сотрудников")


class HintOut(Output):
    """Что регламент требует изменить в офисе (ORG-03)."""

    code: str
    clause: str
    text: str


class OfficeOut(Output):
    id: UUID
    name: str
    city: str
    address: str
    time_zone: str
    phones: list[str]
    email: str
    requisites: Requisites
    bank_accounts: list[BankAccount]
    vat: list[VatSetting]
    vat_today_label: str
    calendar: WorkingCalendar
    courier_delivery: bool
    active: bool
    acting_director_id: UUID | None = Field(description="Управляющий, а пока его нет, старший менеджер (ORG-03)")
    acting_director_role_label: str | None
    opened_at: datetime
    changed_at: datetime
    version: int


class CalendarVersionOut(Output):
    version: int
    calendar: WorkingCalendar
    set_by: UUID
    set_at: datetime
