"""Kinds, categories and groups of clients with their Russian labels (CL-01, CL-02)."""

from enum import StrEnum

from shared.contracts.clients import ClientKind, ConsentPurpose

KIND_LABELS: dict[ClientKind, str] = {
    "online": "Интернет-клиент",
    "offline_retail": "Розничный клиент офиса",
    "wholesale": "Оптовый клиент",
    "legal_entity": "Юридическое лицо",
}

CONSENT_LABELS: dict[ConsentPurpose, str] = {
    "service": "Обработка персональных данных",
    "advertising": "Рекламные сообщения",
    "calls": "Звонки с предложениями",
}


class Category(StrEnum):
    """«Категория клиента»: the price level (CL-01)."""

    RETAIL = "retail"
    INTERNET = "internet"
    OPT5 = "opt5"
    OPT6 = "opt6"
    OPT7 = "opt7"
    OPT8 = "opt8"
    OPT9 = "opt9"
    OPT10 = "opt10"

    @property
    def label(self) -> str:
        """Return the label, «ОПТ5» for the wholesale levels."""
        return CATEGORY_LABELS.get(self, self.value.upper().replace("OPT", "ОПТ"))


CATEGORY_LABELS = {Category.RETAIL: "Розница", Category.INTERNET: "Интернет"}

DEFAULT_CATEGORIES: dict[ClientKind, Category] = {
    "online": Category.INTERNET,
    "offline_retail": Category.RETAIL,
    "wholesale": Category.OPT5,
    "legal_entity": Category.RETAIL,
}

DEFAULT_GROUPS: dict[ClientKind, str] = {
    "online": "Розница",
    "offline_retail": "Розница",
    "wholesale": "Оптовые",
    "legal_entity": "Розница",
}
"""«Группа клиента» of a new card by the kind of client (CL-02); staff may write any other."""


class DisabledReason(StrEnum):
    """Why an account is disabled."""

    CONTACTS = "contacts"
    STAFF = "staff"

    @property
    def label(self) -> str:
        """Return the label that staff see."""
        return DISABLED_LABELS[self]


DISABLED_LABELS = {
    DisabledReason.CONTACTS: "Не предоставлены контактные данные",
    DisabledReason.STAFF: "Отключена сотрудником",
}
