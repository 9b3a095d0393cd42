"""VAT of an office from a date on, which invoices print."""

from collections.abc import Sequence
from datetime import date

from shared.contracts.control import VatSetting


def vat_on(settings: Sequence[VatSetting], day: date) -> VatSetting | None:
    """Return the setting in force on `day`; None before the first one."""
    in_force = [setting for setting in settings if setting.effective_from <= day]
    return max(in_force, key=lambda setting: setting.effective_from, default=None)


def with_setting(settings: Sequence[VatSetting], new: VatSetting) -> list[VatSetting]:
    """Return the settings in order of their dates; a new one replaces that of the same date."""
    kept = [setting for setting in settings if setting.effective_from != new.effective_from]
    return sorted([*kept, new], key=lambda setting: setting.effective_from)


def vat_label(setting: VatSetting | None) -> str:
    """Return the label, «НДС 20 %» or «без НДС»."""
    if setting is None:
        return "ставка не задана"
    return "без НДС" if setting.rate_percent is None else f"НДС {setting.rate_percent} %"
