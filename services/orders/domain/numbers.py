"""Numbers of documents that people read aloud: «М45-000123»."""

import re
from enum import StrEnum
from uuid import UUID

_NAME_AND_HOUSE = re.compile(r"([А-ЯЁ])[а-яё]+,?\s+(\d+)\s*([а-яё]?)(?![\w])", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-zА-Яа-яЁё]+")


class Document(StrEnum):
    """The letter between office and number; an order has none."""

    ORDER = ""
    PURCHASE_ORDER = "П"
    SHIPMENT = "Р"
    CLAIM = "В"


def office_prefix(name: str) -> str:
    """Return an office's prefix: «ПроДеталь-Мира 45» → «М45», «ул. Лесная, 5а» → «Л5А», else the words' initials.

    Two offices may have the same prefix: the number that follows is unique in the network.
    """
    found = _NAME_AND_HOUSE.search(name)
    if found is not None:
        return "".join(found.groups()).upper()
    initials = "".join(word[0] for word in _WORD.findall(name))[:4].upper()
    return initials or "О"


def provisional_prefix(office_id: UUID) -> str:
    """Return the prefix of an office whose card has not arrived yet."""
    return office_id.hex[-4:].upper()


def numbered(prefix: str, document: Document, value: int) -> str:
    """Return the number of a document: «М45-П000123» of a purchase order."""
    return f"{prefix}-{document.value}{value:06d}"
