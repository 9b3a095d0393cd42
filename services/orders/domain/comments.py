"""Whether a comment is addressed to the client (ORD-08, K4)."""

import re
from collections.abc import Iterable

_ABOUT_THE_CLIENT = re.compile(r"\b(?:клиент|покупател|заказчик)\w*", re.IGNORECASE)
_INTERNAL = re.compile(r"\bвопрос\s+реш[её]н\w*|\bб/о\b", re.IGNORECASE)
_YOU = re.compile(r"\b(?:вы|вас|вам|вами|ваш\w*)\b", re.IGNORECASE)
_REQUEST = re.compile(r"\b\w{2,}(?:йте|ите|ьте)(?:сь)?\b", re.IGNORECASE)
_NOISE = re.compile(r"[\W_]+")


def speaks_about_the_client(text: str) -> bool:
    """Return whether a text is a note for colleagues, such as «Клиент не отвечает»."""
    return bool(_ABOUT_THE_CLIENT.search(text) or _INTERNAL.search(text))


def addresses_the_client(text: str, samples: Iterable[str] = ()) -> bool:
    """Return whether a comment says «Вы», asks for something or repeats an approved phrase.

    `samples` are phrases that head office approved although they address no one («не поступила предоплата»).
    """
    if speaks_about_the_client(text):
        return False
    plain = _plain(text)
    if any(_plain(sample) and _plain(sample) in plain for sample in samples):
        return True
    return bool(_YOU.search(text) or _REQUEST.search(text))


def _plain(text: str) -> str:
    return _NOISE.sub(" ", text.casefold().replace("ё", "е")).strip()
