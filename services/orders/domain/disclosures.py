"""What the client was told or shown, ticked by the manager.

ORD-17, in part: the risk without a catalogue (CALL-08) and the opened packaging are demanded, other ticks are recorded.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Disclosure(StrEnum):  # noqa: D101 (a docstring would be published)
    INDIVIDUAL_ORDER = "individual_order"
    NO_CATALOGUE_RISK = "no_catalogue_risk"
    SUPPLY_RISK = "supply_risk"
    PACKAGING_OPENED = "packaging_opened"
    CONTRACT_SIGNED = "contract_signed"

    @property
    def label(self) -> str:
        """Return the Russian name."""
        return LABELS[self]


LABELS: Mapping[Disclosure, str] = {
    Disclosure.INDIVIDUAL_ORDER: "Детали везутся индивидуально под клиента",
    Disclosure.NO_CATALOGUE_RISK: "Нет каталога: выбор детали — риск клиента",
    Disclosure.SUPPLY_RISK: "Названы вероятность и сроки поставки",
    Disclosure.PACKAGING_OPENED: "Упаковка вскрыта, товар показан клиенту",
    Disclosure.CONTRACT_SIGNED: "Подписан каждый лист договора",
}


def missing_for_issue(ticked: Iterable[Disclosure]) -> list[Disclosure]:
    """Return what has to be ticked before goods are handed over: the packaging was opened (ORD-10)."""
    return [disclosure for disclosure in (Disclosure.PACKAGING_OPENED,) if disclosure not in set(ticked)]


def missing_for_order(
    ticked: Iterable[Disclosure], *, has_parts_without_catalogue: bool, wholesale: bool
) -> list[Disclosure]:
    """Return what has to be ticked before an order: without a catalogue the choice is the client's risk (CALL-08)."""
    if wholesale or not has_parts_without_catalogue or Disclosure.NO_CATALOGUE_RISK in set(ticked):
        return []
    return [Disclosure.NO_CATALOGUE_RISK]
