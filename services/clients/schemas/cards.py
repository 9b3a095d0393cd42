"""Request and response bodies about client cards (CL-03, CL-04)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from services.clients.domain.labels import Category
from services.clients.schemas.fields import (
    Email,
    FullName,
    Login,
    Password,
    Phone,
    PlaceName,
    Remark,
    TimeZone,
)
from shared.contracts.clients import ClientKind, ConsentPurpose
from shared.vocabulary.fields import CurrentPassword, Reason
from shared.web import Input, Output, ShortText

REGISTRATION: dict[str, Any] = {
    "office_id": "0190a5d4-7e6b-7c3e-8a51-0d5c7a2f4b10",
    "full_name": "Иванов Иван",
    "email": "ivanov@mail.example",
    "phone": "+7 912 583-01-47",
    "login": "ivanov",
    "password": "верный-конь-42",
    "city": "Нижний Тагил",
    "source": "листовка в автомойке",
    "consents": ["service", "calls"],
}
CARD: dict[str, Any] = {
    "kind": "offline_retail",
    "full_name": "Петрова Мария Алексеевна",
    "phone": "+7 912 583-01-48",
    "email": "petrova@mail.example",
    "city": "Нижний Тагил",
    "source": "проходил мимо",
    "consents": ["service"],
}


class RegisterClient(Input):
    """Регистрация посетителя сайта."""

    model_config = ConfigDict(json_schema_extra={"examples": [REGISTRATION]})

    office_id: UUID = Field(description="Офис из GET /public/offices")
    full_name: FullName
    email: Email
    phone: Phone
    login: Login | None = Field(None, description="Без логина входят по адресу e-mail")
    password: Password
    organization_name: ShortText | None = Field(None, description="«Наименование организации» (CL-04)")
    region: PlaceName | None = None
    city: PlaceName | None = None
    source: ShortText | None = Field(None, description="Откуда узнали о нашем магазине (CL-13)")
    consents: Annotated[list[ConsentPurpose], Field(max_length=10)] = Field(
        description="Цели, на которые дано согласие; «service» обязательна", examples=[["service", "calls"]]
    )


class RegisteredOut(Output):
    client_id: UUID
    login: str
    email: str
    email_confirmed: bool
    message: str


class ConfirmEmail(Input):
    token: Annotated[str, Field(min_length=1, max_length=200)]


class AskConfirmation(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"login": "ivanov"}]})

    login: Annotated[
        str, Field(min_length=1, max_length=254, description="Логин или e-mail, указанный при регистрации")
    ]


class MessageOut(Output):
    message: str


class CreateClient(Input):
    """Карточка, которую заводит сотрудник."""

    model_config = ConfigDict(json_schema_extra={"examples": [CARD]})

    office_id: UUID | None = Field(None, description="Нужен только головному офису; сотрудник заводит в своём офисе")
    kind: ClientKind = "offline_retail"
    full_name: FullName
    name_verified: bool = Field(True, description="ФИО узнано у клиента (CL-05)")
    phone: Phone | None = None
    email: Email | None = None
    category: Category | None = None
    group: ShortText | None = None
    buyer_group: ShortText | None = Field(None, description="«Покупатель» (CL-03)")
    organization_name: ShortText | None = None
    region: PlaceName | None = None
    city: PlaceName | None = None
    time_zone: TimeZone | None = None
    manager_id: UUID | None = Field(None, description="Без него менеджер назначается по очереди (CL-10)")
    source: ShortText | None = None
    description: Remark | None = None
    consents: Annotated[list[ConsentPurpose], Field(max_length=10)] = Field([])
    allow_duplicate: bool = Field(False, description="Завести, хотя телефон или e-mail уже есть в офисе")


class ChangeClient(Input):
    """Поля, которых нет в запросе, не меняются; null очищает необязательное поле."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"city": "Невьянск", "group": "Автосервисы"}]})

    kind: ClientKind | None = None
    full_name: FullName | None = None
    name_verified: bool | None = None
    phone: Phone | None = None
    email: Email | None = None
    category: Category | None = None
    group: ShortText | None = None
    buyer_group: ShortText | None = None
    organization_name: ShortText | None = None
    region: PlaceName | None = None
    city: PlaceName | None = None
    time_zone: TimeZone | None = None
    manager_id: UUID | None = None
    source: ShortText | None = None
    description: Remark | None = None


class ChangeOwnCard(Input):
    """То, что клиент меняет сам. Поля, которых нет в запросе, не меняются."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"city": "Невьянск"}]})

    full_name: FullName | None = None
    phone: Phone | None = None
    region: PlaceName | None = None
    city: PlaceName | None = None
    time_zone: TimeZone | None = None


class GiveLogin(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"login": "petrova", "password": "верный-конь-42"}]})

    login: Login | None = Field(None, description="Без логина входят по адресу e-mail карточки")
    password: Password


class SetPassword(Input):
    password: Password


class ChangePassword(Input):
    current_password: CurrentPassword
    new_password: Password


class Disable(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "Просил отключить"}]})

    comment: Reason = Field(description="Почему; остаётся в журнале карточки")


class HandOver(Input):
    """Клиенты одного менеджера — другим, каждому по очереди."""

    manager_id: UUID = Field(description="Чьи клиенты")
    to: Annotated[list[UUID], Field(min_length=1, max_length=50, description="Кому; поровну")]
    office_id: UUID | None = Field(None, description="Только для головного офиса")


class HandedOver(Output):
    clients: int = Field(description="Сколько передано")
    left: bool = Field(description="Может быть, есть ещё: повторите с новым ключом")


class ClientBrief(Output):
    """Карточка в списке."""

    id: UUID
    office_id: UUID
    kind: ClientKind
    kind_label: str
    category: Category
    category_label: str
    group: str | None
    organization_name: str | None
    full_name: str
    name_verified: bool
    phone: str | None
    phone_shown: str | None
    phone_suspicion: str | None
    phone_suspicion_label: str | None
    email: str | None
    email_confirmed: bool
    login: str | None
    city: str | None
    manager_id: UUID | None
    rating: int | None
    active: bool
    registered_at: datetime


class ClientFields(ClientBrief):
    buyer_group: str | None
    region: str | None
    time_zone: str
    source: str | None
    description: str | None
    rating_label: str | None
    consents: list[ConsentPurpose]
    disabled_at: datetime | None
    disabled_reason: str | None
    disabled_reason_label: str | None
    contacts_requested_at: datetime | None
    contacts_due_at: datetime | None
    first_call_at: datetime | None
    first_order_at: datetime | None
    version: int


class ClientOut(ClientFields):
    """Карточка целиком."""

    courier_delivery: bool = Field(description="В городе клиента офис доставляет курьером (CL-09)")
    manager_name: str | None


class OwnFields(Output):
    id: UUID
    office_id: UUID
    full_name: str
    name_verified: bool
    organization_name: str | None
    category: Category
    category_label: str
    phone: str | None
    phone_shown: str | None
    email: str | None
    email_confirmed: bool
    login: str | None
    region: str | None
    city: str | None
    time_zone: str
    consents: list[ConsentPurpose]
    contacts_due_at: datetime | None
    registered_at: datetime
    version: int


class OwnCardOut(OwnFields):
    """Карточка, как её видит сам клиент."""

    office_name: str
    office_address: str
    office_phones: list[str]
    manager_name: str | None
    manager_email: str | None
    courier_delivery: bool
    contacts_warning: str | None = Field(description="Просьба указать настоящий телефон (CL-06)")


class DuplicatesOut(Output):
    """Похожие карточки своего офиса; о чужих офисах только «да» или «нет»."""

    items: list[ClientBrief]
    in_other_offices: bool
