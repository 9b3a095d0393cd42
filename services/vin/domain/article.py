"""Check that the field «Артикул» holds one article number and nothing else (VIN-03).

No catalogue says what an article looks like: `06A 115 561 B`, `OC 90`, `W 719/30`, `13.0460-7117.2`, `А17ДВРМ` and
`LM11749/LM11710` are one article each, `OC 90 OC 91` and `GDB1550/GDB1551` are two.  The rules below were fitted to
a table of real numbers (tests/unit/vin/test_article.py).  Ambiguous numbers pass: `GDB1550/51` looks exactly like
`W 719/30`.
"""

import re

from shared.base.errors import BusinessError


class SeveralArticles(BusinessError):
    """The field holds more than one article (VIN-03), the most frequent mistake."""

    status = 422
    code = "several-articles"
    title = "В одной строке несколько артикулов"


class NotAnArticle(BusinessError):
    """The field holds something else than an article (VIN-03)."""

    status = 422
    code = "not-an-article"
    title = "В поле «Артикул» не артикул"


MAX_ARTICLE_LENGTH = 24
"""Letters and digits.  The longest numbers in use have about 16."""

MAX_DIGITS = 15
"""`A2058856038 9999` has 14."""

_DASHES = re.compile("[\u2010-\u2015\u2212]")
_SEPARATOR = re.compile(
    r"[,;|\\&=\n\r\t]|(?<=\w)\s*\+\s*(?=\w)|\b(?:или|либо|и|or|and|аналог\w*|замен\w*)\b", re.IGNORECASE
)
_FOREIGN_SIGN = re.compile(r"[^\w\s\-./+*#]|_")
_CYRILLIC_WORD = re.compile(r"(?<!\S)(?:[а-яё]{3,}|шт|пр|лв)[.:]?(?!\S)", re.IGNORECASE)
_TAPER_BEARING = re.compile(r"(J?(?:LM|HM|LL|[LHM]))\d{5,6}/(?:\1)?\d{2,6}")
"""Cone and cup of a tapered roller bearing are one article: `LM11749/LM11710`, `L44649/10`."""
_MODIFICATION = re.compile(r"T10|V[A-Z]\d{3}")
"""Ends of articles that would read as articles: Champion's `OE207/T10`, SKF's `6205-2Z/VA201`."""
_LOOK_ALIKES = str.maketrans("АВЕКМНОРСТУХавекмнорстух", "ABEKMHOPCTYXabekmhopctyx")


def compact(text: str) -> str:
    """Letters and digits only, upper case: `06A 115 561 B` and `06a115561b` are the same article."""
    return "".join(character for character in text if character.isalnum()).upper()


def check_article(text: str, brand: str) -> str:
    """Return the article as it is stored: single spaces, Latin in place of look-alike Cyrillic if the maker is Latin.

    Raises SeveralArticles or NotAnArticle.
    """
    lines = _DASHES.sub("-", text.replace("\u00a0", " ")).strip()
    pieces = [piece for piece in _FOREIGN_SIGN.split(_SEPARATOR.sub(";", lines)) if piece.strip()]
    if sum(_digits(piece) >= 2 for piece in pieces) > 1:
        raise SeveralArticles(_one_line_one_part(pieces))
    article = " ".join(lines.split())
    without_words = " ".join(_CYRILLIC_WORD.sub(" ", article).split())
    if several_articles(without_words):
        raise SeveralArticles(_one_line_one_part([article]))
    _refuse_what_is_no_article(article, without_words, pieces, brand)
    return _latin(article) if re.search("[A-Za-z]", brand) else article


def several_articles(text: str) -> bool:
    """Return whether a text without separators reads as more than one article."""
    upper = text.upper()
    if _TAPER_BEARING.fullmatch(upper.replace(" ", "")):
        return False
    return (
        any(
            _slash_separates(upper[: slash.start()], upper[slash.end() :].split("/")[0])
            for slash in re.finditer("/", upper)
        )
        or _hyphen_separates(upper)
        or _spaces_separate(upper.replace(" - ", " ").split())
    )


def _slash_separates(before: str, after: str) -> bool:
    """Tell a second article after a slash from a modification (`OX 153/7D2`, `6205/C3`, `F102/606`)."""
    head, tail = compact(before), compact(after)
    if not head or not tail or _MODIFICATION.fullmatch(tail):
        return False
    if _digits(tail) >= 4 or (_letters_then_digits(tail) and _digits(head) >= 2):
        return True
    # `333114/115` is the pair 333114 and 333115, while Champion's `F102/606` is one filter.
    neighbour = re.search(r"\d{3}$", head)
    return bool(neighbour and len(tail) == 3 and tail.isdecimal() and abs(int(neighbour[0]) - int(tail)) < 10)


def _hyphen_separates(text: str) -> bool:
    """`GDB1550-GDB1551`: two segments start with the same letters."""
    prefixes = [match[1] for segment in text.split("-") if (match := re.match(r"\s*([^\W\d_]{2,})\s?\d{2}", segment))]
    return len(prefixes) != len(set(prefixes))


def _spaces_separate(tokens: list[str]) -> bool:
    """Spaces stand inside `1 987 302 041` and between `GDB1550 GDB1551`."""
    if len(tokens) < 2:
        return False
    lettered = [token for token in tokens if len(compact(token)) >= 2 and not token.isdigit()]
    if len(lettered) != len(set(lettered)):
        return True  # `OC 90 OC 91`, `06A 115 561 06A 115 562`
    whole = [token for token in tokens if _whole(token)]
    if len(whole) > 1 or (whole and _digits("".join(tokens)) - _digits(whole[0]) >= 6):
        return True  # `4851009J50 4852009J50`, `GDB1550 1 987 302 041`
    if _digits("".join(tokens)) > MAX_DIGITS:
        return True
    return _neighbours(tokens) or _halves_alike(tokens) or _separate_groups(tokens) > 1


def _whole(token: str) -> bool:
    """Return whether a token is long enough to be an article alone; groups inside of one article are shorter."""
    return len(compact(token)) >= 6 and _digits(token) >= 4


def _neighbours(tokens: list[str]) -> bool:
    """`26768 26769`, while Toyota's `90915 10003` is one article."""
    long_numbers = [token for token in tokens if token.isdigit() and len(token) >= 5]
    return any(
        len(one) == len(other) and one[:3] == other[:3]
        for index, one in enumerate(long_numbers)
        for other in long_numbers[index + 1 :]
    )


def _halves_alike(tokens: list[str]) -> bool:
    """`1 987 302 041 1 987 302 042`."""
    middle, odd = divmod(len(tokens), 2)
    first, second = tokens[:middle], tokens[middle:]
    return (
        not odd
        and len("".join(first)) >= 5
        and first[0] == second[0]
        and [len(token) for token in first] == [len(token) for token in second]
    )


def _separate_groups(tokens: list[str]) -> int:
    """Count the groups of tokens that could be an article alone: `OC 90 W 719` has two, `15400 PLM A02` one."""
    groups: list[str] = []
    for token in tokens:
        if groups and token[0].isdigit():
            groups[-1] += token
        else:
            groups.append(token)
    separate, before = 0, ""
    for group in map(compact, groups):
        if not _is_suffix(before, group):
            separate += _letters_then_digits(group) or _digits(group) >= 6
        before += group
    return separate


def _is_suffix(head: str, group: str) -> bool:
    """Recognise ends of real articles that look like short articles: `E63H D54`, `E115H01 D208`, `RC12YC T10`."""
    return (
        bool(_MODIFICATION.fullmatch(group))
        or bool(re.match(r"E\d", head) and re.fullmatch(r"D\d{2,3}", group))
        or bool(head[-1:].isalpha() and re.search(r"\d", head) and re.fullmatch(r"[A-Z]\d{1,2}", group))
    )


def _letters_then_digits(text: str) -> bool:
    return bool(re.match(r"[^\W\d_]", text)) and _digits(text) >= 2


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _latin(article: str) -> str:
    """`ОС 90` typed in Russian letters; `А17ДВРМ` has letters without a Latin twin and stays."""
    latin = article.translate(_LOOK_ALIKES)
    return article if re.search("[А-Яа-яЁё]", latin) else latin


def _refuse_what_is_no_article(article: str, without_words: str, pieces: list[str], brand: str) -> None:
    if not _digits(article) or any(sign.isdigit() and not sign.isdecimal() for sign in article):
        raise NotAnArticle(
            f"«{_shorten(article)}» не похоже на артикул: нет обычных цифр или есть надстрочные. "
            "Если деталь подобрать нельзя, укажите причину отказа."
        )
    if without_words != article or len(pieces) > 1 or _FOREIGN_SIGN.search(article) or _SEPARATOR.search(article):
        raise NotAnArticle(
            f"«{_shorten(article)}»: в поле «Артикул» вносится только номер детали. "
            "Слова, количество и пояснения пишите в описании или в комментарии для клиента."
        )
    makers = {word for word in re.split(r"[\s\-/]+", brand.casefold()) if len(word) >= 3 and not word.isdigit()}
    tokens = article.casefold().split()
    if len(tokens) > 1 and makers & {tokens[0], tokens[-1]}:
        raise NotAnArticle(f"«{_shorten(article)}»: производитель указывается в своём поле, а не вместе с артикулом.")
    if not article[0].isalnum() or not (article[-1].isalnum() or article[-1] in "+*"):
        raise NotAnArticle(f"«{_shorten(article)}»: уберите лишние знаки в начале и в конце артикула.")
    if not 2 <= len(compact(article)) <= MAX_ARTICLE_LENGTH or len(article) > 2 * MAX_ARTICLE_LENGTH:
        raise NotAnArticle(f"«{_shorten(article)}»: в артикуле от 2 до {MAX_ARTICLE_LENGTH} букв и цифр.")


def _one_line_one_part(pieces: list[str]) -> str:
    found = ", ".join(f"«{_shorten(' '.join(piece.split()))}»" for piece in pieces[:4])
    return f"{found}: одна строка — одна деталь. Добавьте для второго артикула отдельное предложение или строку."


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
