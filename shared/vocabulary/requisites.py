"""Numbers that identify a Russian company, entrepreneur or bank account, and their check digits.

Every `check_…` function returns the number unchanged, so that it serves as a pydantic validator, or raises ValueError
with a Russian message for the person who typed it.  Spaces are refused: what is stored is printed on invoices.
"""

import re

from stdnum.ru import inn as stdnum_inn

KEY_WEIGHTS = (7, 1, 3)
"""Weights of the account key, repeated over the whole number (Bank of Russia, the account key's calculation)."""

SETTLEMENT_CENTRE_CODES = ("000", "001", "002")
"""Last digits of the БИК of the Bank of Russia's own settlement centres, which keep accounts directly."""

TREASURY_ACCOUNT_PREFIX = "03"
"""Treasury accounts hold the budget's ОКТМО where others hold the key, so they have none."""

SINGLE_TREASURY_ACCOUNT_PREFIX = "40102"
"""«Единый казначейский счёт», written in place of the correspondent account of a treasury body."""


def check_inn(inn: str) -> str:
    """Check an ИНН: 10 digits of a company or 12 of a person, with their check digits."""
    if not re.fullmatch(r"[0-9]{10}|[0-9]{12}", inn):
        raise ValueError("ИНН состоит из 10 цифр у организации или из 12 цифр у предпринимателя")
    if inn.startswith("00") or not stdnum_inn.is_valid(inn):
        raise ValueError("Контрольная цифра ИНН не сходится, проверьте номер")
    return inn


def check_kpp(kpp: str) -> str:
    """Check a КПП: tax office (4 digits), reason (2 digits or capital Latin letters), number (3 digits)."""
    if not re.fullmatch(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}", kpp) or kpp.startswith("00"):
        raise ValueError("КПП состоит из 9 знаков: код налогового органа, причина постановки и номер")
    return kpp


def check_ogrn(ogrn: str) -> str:
    """Check an ОГРН (13 digits of a company) or ОГРНИП (15 digits of an entrepreneur); the last is the check digit.

    python-stdnum compares the 15-digit number with a remainder that may have two digits, hence the own arithmetic.
    """
    if not re.fullmatch(r"[15][0-9]{12}|3[0-9]{14}", ogrn):
        raise ValueError("ОГРН состоит из 13 цифр и начинается с 1 или 5, ОГРНИП состоит из 15 цифр и начинается с 3")
    divisor = 11 if len(ogrn) == 13 else 13
    if int(ogrn[:-1]) % divisor % 10 != int(ogrn[-1]):
        raise ValueError("Контрольная цифра ОГРН не сходится, проверьте номер")
    return ogrn


def check_bic(bic: str) -> str:
    """Check a БИК: 9 digits, the first is 0 for holders of an account with the Bank of Russia, 1 or 2 for others."""
    if not re.fullmatch(r"[012][0-9]{8}", bic) or not int(bic):
        raise ValueError("БИК состоит из 9 цифр, первая из них 0, 1 или 2")
    return bic


def check_account(bic: str, account: str) -> str:
    """Check a client's account with the bank of `bic`: 20 digits whose key includes the bank's own number."""
    check_bic(bic)
    if not re.fullmatch(r"[0-9]{20}", account) or not int(account):
        raise ValueError("Расчётный счёт состоит из 20 цифр")
    if account.startswith(TREASURY_ACCOUNT_PREFIX):
        return account
    if account.startswith("30"):
        raise ValueError("Это корреспондентский счёт банка, а нужен расчётный счёт клиента")
    at_settlement_centre = bic.endswith(SETTLEMENT_CENTRE_CODES)
    if _key_sum((_settlement_centre(bic) if at_settlement_centre else bic[-3:]) + account):
        raise ValueError("Ключ расчётного счёта не сходится с БИК, проверьте оба номера")
    return account


def check_correspondent_account(bic: str, account: str) -> str:
    """Check a bank's account with the Bank of Russia: 20 digits, the БИК's last three, key by the settlement centre.

    A treasury body has the single treasury account instead, which does not end like the БИК.
    """
    check_bic(bic)
    if not re.fullmatch(r"[0-9]{20}", account):
        raise ValueError("Корреспондентский счёт состоит из 20 цифр")
    if not account.startswith(SINGLE_TREASURY_ACCOUNT_PREFIX):
        if not account.startswith("301"):
            raise ValueError("Корреспондентский счёт банка начинается с 301")
        if account[-3:] != bic[-3:]:
            raise ValueError("Последние три цифры корреспондентского счёта и БИК должны совпадать")
    if _key_sum(_settlement_centre(bic) + account):
        raise ValueError("Ключ корреспондентского счёта не сходится с БИК, проверьте оба номера")
    return account


def _settlement_centre(bic: str) -> str:
    return "0" + bic[4:6]


def _key_sum(digits: str) -> int:
    return sum(int(digit) * KEY_WEIGHTS[place % 3] for place, digit in enumerate(digits)) % 10
