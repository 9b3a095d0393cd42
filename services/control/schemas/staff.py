"""Bodies about staff and their sign-in."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from services.control.schemas.fields import Login, Password, Phone
from shared.contracts.control import StaffRole
from shared.vocabulary.fields import CurrentPassword, Email, Reason
from shared.web import Input, Output, ShortText


class HireStaff(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "login": "ivanova",
                    "password": "первый пароль",
                    "full_name": "Иванова Анна Ивановна",
                    "role": "head_office",
                    "email": "ivanova@prodetal.example",
                }
            ]
        }
    )

    login: Login = Field(examples=["ivanov"])
    password: Password = Field(description="Первый пароль; сотрудник меняет его сам")
    full_name: ShortText = Field(examples=["Иванов Иван Иванович"])
    role: StaffRole
    office_id: UUID | None = Field(default=None, description="Обязателен для сотрудников офиса (ORG-02)")
    email: Email = Field(examples=["ivanov@prodetal.example"])
    phone: Phone | None = None


class ChangeStaff(Input):
    """Передайте только то, что меняется; `phone: null` убирает телефон, в остальных полях null не меняет ничего."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"full_name": "Иванов Пётр", "phone": "+7 912 000-00-00"}]}
    )

    full_name: ShortText | None = None
    role: StaffRole | None = None
    office_id: UUID | None = Field(
        default=None, description="Перевод в другой офис; для роли без офиса офис снимается сам"
    )
    email: Email | None = None
    phone: Phone | None = None


class DismissStaff(Input):
    reason: Reason = Field(examples=["по собственному желанию"])


class ResetPassword(Input):
    password: Password = Field(examples=["новый пароль"])


class ChangeOwnPassword(Input):
    current_password: CurrentPassword
    new_password: Password


class StaffOut(Output):
    id: UUID
    office_id: UUID | None
    login: str
    full_name: str
    role: StaffRole
    role_label: str
    email: str
    phone: str | None
    active: bool
    hired_at: datetime
    changed_at: datetime
    dismissed_at: datetime | None
    dismissal_reason: str | None
    version: int


class MeOut(Output):
    id: UUID
    role: StaffRole
    role_label: str
    office_id: UUID | None
    office_name: str | None
    name: str
