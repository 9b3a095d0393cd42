"""Kinds of values that several requests carry."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.vocabulary import fields, phones
from shared.vocabulary.fields import one_line
from shared.web import ShortText

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _within_reason(moment: datetime) -> datetime:
    """Return the moment in UTC.  Raises ValueError outside of this century."""
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("дата вне допустимых границ")
    return moment.astimezone(UTC)


Moment = Annotated[fields.Moment, AfterValidator(_within_reason)]
FullName = Annotated[ShortText, Field(description="ФИО", examples=["Иванов Иван Иванович"])]
Phone = Annotated[phones.Phone, Field(description="Телефон; хранится как +79125830147", examples=["+7 912 583-01-47"])]
Email = Annotated[fields.Email, AfterValidator(str.lower)]
"""One address is one client, however its letters are written."""
Login = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254, pattern=r"^[A-Za-z0-9._@+-]+$"),
    AfterValidator(str.lower),
    Field(
        description="Логин: латинские буквы, цифры и знаки . _ @ + -; единственный во всей сети", examples=["ivanov"]
    ),
]
Password = Annotated[str, StringConstraints(min_length=10, max_length=128), Field(examples=["верный-конь-42"])]
"""A new password of a client."""
PlaceName = Annotated[fields.PlaceName, AfterValidator(one_line)]
Remark = Annotated[str, StringConstraints(max_length=2000)]
"""A comment that may be empty."""
TimeZone = Annotated[fields.TimeZone, Field(examples=["Asia/Yekaterinburg"])]
PricedArticle = Annotated[fields.Article, StringConstraints(max_length=64)]
"""An article that the client priced on the site."""
