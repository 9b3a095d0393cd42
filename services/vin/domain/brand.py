"""Check that the field «Производитель» names the one maker of the article (VIN-03)."""

import re

from shared.base.errors import BusinessError


class SeveralMakers(BusinessError):
    """The field holds more than one maker (VIN-03)."""

    status = 422
    code = "several-makers"
    title = "Указано несколько производителей"


class NotAMaker(BusinessError):
    """The field holds something else than a maker (VIN-03)."""

    status = 422
    code = "not-a-maker"
    title = "В поле «Производитель» не производитель"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


JOINT_NAMES = [
    frozenset(names.split("|"))
    for names in (
        "hyundai|kia|mobis",
        "toyota|lexus",
        "nissan|infiniti",
        "honda|acura",
        "peugeot|citroen|citroën|psa|ds",
        "renault|dacia",
        "vw|volkswagen|audi|seat|skoda|vag",
        "gm|opel|vauxhall|chevrolet|daewoo|general motors",
        "bmw|mini",
        "fiat|alfa|alfa romeo|lancia",
        "chrysler|jeep|dodge|mopar",
        "mercedes|mercedes-benz|smart",
        "jaguar|land rover",
        "mahle|knecht|clevite",
        "behr|hella|pagid|gutmann",
        "hans pries|topran",
        "febi|bilstein|swag|blue print",
        "mann|mann-filter|filter|hummel",
        "victor|reinz",
        "ваз|lada|автоваз|лада",
        "газ|умз|змз",
    )
]
"""Names of one maker, which catalogues write with a slash: «Hyundai/Kia», «Knecht/Mahle»."""

WELL_KNOWN = _words(
    "ate bosch brembo champion contitech corteco dayco delphi denso dolz elring fag febi fenox ferodo filtron gates "
    "ina japanparts jurid kayaba knecht kyb lemforder lemförder lucas luk lynxauto mahle mann meyle monroe nipparts "
    "ngk nisshinbo nsk ntn pagid patron sachs sidem skf snr stellox swag textar trw valeo zimmermann"
)
"""Makers by which «TRW Bosch» is seen to be two; any other name passes."""

_SEPARATOR = re.compile(r"\s*(?:[/,;|\\\n\r\t]|\b(?:или|либо|и|or)\b)\s*", re.IGNORECASE)
_NO_MAKER = _words(
    "оригинал аналог аналоги дубликат любой любая разные неизвестно нет нету производитель бренд oem original"
)


def check_brand(text: str, article: str) -> str:
    """Return the maker's name with single spaces.  Raises SeveralMakers or NotAMaker."""
    brand = " ".join(text.split())
    names = [name for name in _SEPARATOR.split(text.strip().casefold()) if name]
    if len(names) > 1 and not any(set(names) <= joint for joint in JOINT_NAMES):
        raise SeveralMakers(f"«{brand[:60]}»: укажите того производителя, чей артикул {article[:60]}.")
    words = brand.casefold().split()
    if len(words) > 1 and set(words) <= WELL_KNOWN and not any(set(words) <= joint for joint in JOINT_NAMES):
        raise SeveralMakers(f"«{brand[:60]}»: это разные производители, а артикул {article[:60]} выпускает один.")
    if not re.search(r"\w", brand) or set(words) <= _NO_MAKER:
        raise NotAMaker(f"«{brand[:60]}»: нужно название того, кто выпускает артикул {article[:60]}.")
    if brand.casefold() == article.casefold():
        raise NotAMaker("В поле «Производитель» повторён артикул.")
    return brand
