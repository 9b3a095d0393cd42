"""Payment QR code by ГОСТ Р 56042-2014: what a bank's application reads from an invoice (BILL-01)."""

from decimal import Decimal

FORMAT = "ST00012"
"""Format, version 0001, character set 2 (UTF-8)."""

SEPARATOR = "|"

MAX_FIELD_LENGTHS = {
    "Name": 160,
    "BankName": 45,
    "Purpose": 210,
}
"""Longest values that the standard allows; the others have a fixed length."""


def payment_order(
    *,
    payee: str,
    account: str,
    bank_name: str,
    bic: str,
    correspondent_account: str,
    amount: Decimal,
    purpose: str,
    payee_inn: str,
    payee_kpp: str | None,
) -> str:
    """Return the string to encode; `Sum` is in kopecks and texts are cut to the lengths of the standard."""
    fields = {
        "Name": payee,
        "PersonalAcc": account,
        "BankName": bank_name,
        "BIC": bic,
        "CorrespAcc": correspondent_account,
        "Sum": str(int(amount * 100)),
        "Purpose": purpose,
        "PayeeINN": payee_inn,
        "KPP": payee_kpp,
    }
    return SEPARATOR.join([FORMAT, *(f"{name}={_value(name, value)}" for name, value in fields.items() if value)])


def _value(name: str, value: str) -> str:
    # A separator inside a value would end it, and readers understand no escape.
    one_line = " ".join(value.replace(SEPARATOR, " ").split())
    return one_line[: MAX_FIELD_LENGTHS.get(name, len(one_line))].rstrip()
