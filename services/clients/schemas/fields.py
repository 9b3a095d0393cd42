"""Kinds of values that several requests carry."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, EmailStr, Field, StringConstraints

from services.clients.domain.phones import read_phone
from shared.web import one_line

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _within_reason(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("дата вне допустимых границ")
    return moment.astimezone(UTC)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("неизвестный часовой пояс")
    ZoneInfo(name)
    return name


Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]
FullName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(one_line),
    Field(description="ФИО", examples=["Иванов Иван Иванович"]),
]
Phone = Annotated[
    str,
    StringConstraints(min_length=5, max_length=32),
    AfterValidator(read_phone),
    Field(description="Телефон; хранится как +79125830147", examples=["+7 912 583-01-47"]),
]
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
Login = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254, pattern=r"^[A-Za-z0-9._@+-]+$"),
    AfterValidator(str.lower),
    Field(
        description="Логин: латинские буквы, цифры и знаки . _ @ + -; единственный во всей сети", examples=["ivanov"]
    ),
]
Password = Annotated[str, StringConstraints(min_length=10, max_length=128), Field(examples=["верный-конь-42"])]
PlaceName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)]
Remark = Annotated[str, StringConstraints(max_length=2000)]
TimeZone = Annotated[
    str, StringConstraints(max_length=64), AfterValidator(_known_zone), Field(examples=["Asia/Yekaterinburg"])
]
