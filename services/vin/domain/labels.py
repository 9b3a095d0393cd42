"""Codes of states, answers and preferences, with their Russian names."""

from enum import StrEnum


class RequestState(StrEnum):  # noqa: D101 (a docstring would be published)
    UNANSWERED = "unanswered"
    CORRECTING = "correcting"
    """The client has an answer, which is being corrected (VIN-09)."""
    ANSWERED = "answered"

    @property
    def label(self) -> str:
        """Return the Russian name."""
        return _STATES[self]


class LineKind(StrEnum):  # noqa: D101 (a docstring would be published)
    OPEN = "open"
    OFFERS = "offers"
    REFUSAL = "refusal"
    QUESTION = "question"

    @property
    def label(self) -> str:
        """Return the Russian name."""
        return _KINDS[self]


class PreferenceCode(StrEnum):
    """VIN-02."""

    MINIMUM_PRICE = "minimum_price"
    PRICE_QUALITY = "price_quality"
    ORIGINAL_ONLY = "original_only"

    @property
    def label(self) -> str:
        """Return the Russian name."""
        return _PREFERENCES[self]


_STATES = {
    RequestState.UNANSWERED: "Не обработан",
    RequestState.CORRECTING: "Ответ исправляется",
    RequestState.ANSWERED: "Дан ответ",
}
_KINDS = {
    LineKind.OPEN: "Не обработана",
    LineKind.OFFERS: "Подобрано",
    LineKind.REFUSAL: "Отказ с причиной",
    LineKind.QUESTION: "Вопрос клиенту",
}
_PREFERENCES = {
    PreferenceCode.MINIMUM_PRICE: "Минимальная цена",
    PreferenceCode.PRICE_QUALITY: "Цена/качество",
    PreferenceCode.ORIGINAL_ONLY: "Только оригинал",
}
