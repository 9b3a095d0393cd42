"""Field types of request bodies, each defined once.

A type says what a value is and how much of it is stored.  A service that asks for more derives its own from it:
`Annotated[PlaceName, AfterValidator(one_line)]`.  `Phone` stands in `shared.vocabulary.phones`.
"""

from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, EmailStr, Field, StringConstraints

from shared.vocabulary.requisites import check_bic, check_inn, check_kpp, check_ogrn

FIRST_YEAR, LAST_YEAR = 1900, 2200


def one_line(value: str) -> str:
    """Replace line breaks and runs of spaces by one space, so that a name adds no lines to a letter or a contract."""
    return " ".join(value.split())


def known_zone(name: str) -> str:
    """Return the name of an IANA time zone unchanged.  Raises ValueError."""
    if name not in available_timezones():
        raise ValueError("неизвестный часовой пояс, пример: Asia/Yekaterinburg")
    return name


def _within_calendar(moment: datetime) -> datetime:
    """Keep away from the ends of the calendar, where a change of zone overflows.  Raises ValueError."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("дата вне допустимых границ")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_calendar)]
"""An instant with its offset from UTC, in ISO 8601."""
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(known_zone)]
"""A name of the IANA database."""
Email = Annotated[EmailStr, Field(max_length=254)]
"""An address as it was typed; 254 characters are the most that SMTP carries."""
PlaceName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""A city or a region."""
Address = Annotated[str, StringConstraints(min_length=1, max_length=500)]

Article = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""A manufacturer's number of a part."""
Brand = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""The manufacturer of a part."""
TermDays = Annotated[int, Field(ge=0, le=365)]
"""Days until a part arrives."""
VehicleNumber = Annotated[str, StringConstraints(min_length=1, max_length=40)]
"""A VIN or a FRAME as it was typed; `shared.vocabulary.vehicles` reads it."""
ModelYear = Annotated[int, Field(ge=1900, le=2100)]

Comment = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""Several lines for a client or a colleague."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""Why something was done, in the words of the person who did it."""
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
"""The name of an entry in a list of head office."""
Percent = Annotated[int, Field(ge=0, le=100)]
CurrentPassword = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""A password to be verified; the rules for a new one are each service's own."""

Inn = Annotated[str, StringConstraints(max_length=12), AfterValidator(check_inn)]
Kpp = Annotated[str, StringConstraints(max_length=9), AfterValidator(check_kpp)]
Ogrn = Annotated[str, StringConstraints(max_length=15), AfterValidator(check_ogrn)]
Bic = Annotated[str, StringConstraints(max_length=9), AfterValidator(check_bic)]
AccountNumber = Annotated[str, StringConstraints(max_length=20)]
"""An account with a bank; its key is verified together with the БИК."""
