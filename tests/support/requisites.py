"""Bank accounts with a valid key, computed by the Bank of Russia's procedure, independently of the product's check."""

WEIGHTS = (7, 1, 3)
KEY = 8
"""Place of the key in an account of 20 digits, counted from 0."""


def account_with_key(bic: str, account: str) -> str:
    """Return a client's account with the bank of `bic`, its key computed."""
    at_settlement_centre = bic[6:] in ("000", "001", "002")
    return _with_key("0" + bic[4:6] if at_settlement_centre else bic[6:], account)


def correspondent_account_with_key(bic: str, account: str) -> str:
    """Return the bank's account with the Bank of Russia, its key computed."""
    return _with_key("0" + bic[4:6], account)


def _with_key(prefix: str, account: str) -> str:
    """Multiply by the weights with 0 as the key; the last digit of the products' sum times 3 is the key."""
    digits = prefix + account[:KEY] + "0" + account[KEY + 1 :]
    products = [int(digit) * WEIGHTS[place % 3] % 10 for place, digit in enumerate(digits)]
    return f"{account[:KEY]}{sum(products) * 3 % 10}{account[KEY + 1 :]}"
