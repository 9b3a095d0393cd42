"""Find a second article that is hidden in a comment (VIN-03).

Comments contain many numbers that are no articles: prices, phones, dates, sizes, engines, oils.  Long numbers count
as articles anywhere; short ones (`OC 91`, `W68`) only after a word that announces an article.
"""

import re
from collections.abc import Iterable

from services.vin.domain.article import SeveralArticles, compact

_HARMLESS = re.compile(
    r"""
      (?:\+7|\b8|\b7)[\s(-]*\d{3}[\s)-]*\d{3}[\s-]?\d{2}[\s-]?\d{2}\b   # a phone number
    | \b[\w.+-]{1,64}@\S+ | https?://\S+                                            # an address
    | \b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2})\b                         # a date
    | \b(?:\d{1,2}[./])?(?:19|20)\d\d\s?[-–—]\s?(?:\d{1,2}[./])?(?:19|20)\d\d\b   # years
    | \b\d[\d\s.,]{0,15}(?:₽|руб|р\.|км|мм|см|шт|дн|кг|мл|л\b|%)          # an amount with its unit
    | \b\d{3}/\d{2}\s?Z?R\s?\d{2}\b | \bR\d{2}\b                        # a tyre, a rim
    | \b\d{1,2}W-?\d{2}\b | \bG1[1-3]\b | \bWSS-\w+-\w+                 # oil, antifreeze, Ford's oil norms
    | \b(?:заказ|запрос|сч[её]т|договор)\w*(?:-\w+)?\s*№?\s*[\w-]{0,20}\d[\w-]*   # a document's number
    | \b(?:инн|карт|vin|двигател|кузов|рам)\w*\s+(?:до|от|с|по)?\s*№?\s*\d+\b   # another number with its name
    | \b[A-HJ-NPR-Z0-9]{17}\b                                          # a VIN
    | \b(?:ваз|газ|уаз|заз|иж|lada|лада|змз|умз|ямз|ммз|камаз)[\s-]?\d{3,5}\b   # a Russian car or engine
    | (?<![\w.])\d{4}\s?[-–—]\s?\d{4}(?!\w|\.\d)                      # a range of models
    | \b\d{3}\.\d{2}\b | \b[MМ]\d{1,2}[xх]\d[\d.,]*                 # Volkswagen's oil norms, a thread
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENGINE = re.compile(r"(двигател|мотор|кузов|двс|[ам]?кпп|коробк)\w*[^.;!?]*", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W_]+(?:[-./][^\W_]+)*")
_SPACED = re.compile(r"\b[0-9A-Z]{1,4}(?: [0-9A-Z]{2,4}){2,4}(?: [A-Z]{1,2})?\b")
_ANNOUNCED = re.compile(
    r"""\b(?:аналог\w*|замен\w*|артикул\w*|арт\.?|кросс\w*|вместо|номер\w*|или|либо)[\s:—–«"(-]*
        (?:[A-Za-z][A-Za-z-]+\s+){0,2}?
        (?P<article>[A-ZА-Я]{1,5}\s?-?\d{2,}[\w/.-]*|\d{5,}[\w/.-]*)""",
    re.IGNORECASE | re.VERBOSE,
)


def hidden_articles(comment: str, *, own_articles: Iterable[str] = (), vehicle_ids: Iterable[str] = ()) -> list[str]:
    """Return article numbers in a comment, except for the line's own article and the vehicle's VIN or FRAME."""
    known = {compact(number) for number in (*own_articles, *vehicle_ids)}
    text = _HARMLESS.sub(" ; ", comment)
    found = [match[0] for match in _SPACED.finditer(text) if sum(map(str.isdigit, match[0])) >= 6]
    found += [token for token in _TOKEN.findall(_ENGINE.sub(_only_long_numbers, text)) if _long_number(token)]
    found += [match["article"] for match in _ANNOUNCED.finditer(_ENGINE.sub(_only_long_numbers, text))]
    return [number for number in found if not any(compact(number) in own for own in known)]


def refuse_hidden_articles(comment: str, *, own_articles: Iterable[str] = (), vehicle_ids: Iterable[str] = ()) -> None:
    """Refuse a comment that names another article.  Raises SeveralArticles."""
    if found := hidden_articles(comment, own_articles=own_articles, vehicle_ids=vehicle_ids):
        raise SeveralArticles(
            f"В комментарии указан ещё один артикул: «{found[0][:60]}». Одна строка — одна деталь: "
            "внесите его отдельным предложением или добавьте строку."
        )


def _long_number(token: str) -> bool:
    """Return whether a token has the length of an article: `GDB1551`, `26300-35503`, `0986494104`.

    Years, engine volumes and engine codes are shorter.
    """
    short = compact(token)
    digits = sum(character.isdigit() for character in short)
    if short.isdigit():
        return digits >= 7
    return len(short) >= 6 and digits >= 4 and not token.islower()


def _only_long_numbers(clause: re.Match[str]) -> str:
    """Drop engine codes from a clause about an engine.

    «двигатель N52B30 или N54» has no article, «для двигателя 1.6 есть GDB1551» has one.
    """
    return " ".join(token for token in _TOKEN.findall(clause[0]) if _long_number(token) and len(compact(token)) > 6)
