"""Money from outside: the acquirer's signed notices and the bank's statements (BILL-03)."""

import hashlib
import hmac
import json
import time
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from devtools.demo.day import Day
from devtools.demo.http import JSON


def acquirer_notice(day: Day, notice: dict[str, Any], *, secret: str | None = None) -> httpx.Response:
    """Send a notice as the acquirer does."""
    key = day.target.acquirer_secret if secret is None else secret
    return signed_notice(day, "billing/webhooks/acquirer", notice, key)


def signed_notice(day: Day, path: str, notice: dict[str, Any], key: str) -> httpx.Response:
    """Return the HMAC-SHA-256 of timestamp and raw body."""
    body = json.dumps(notice).encode()
    moment = str(int(time.time()))
    signature = hmac.new(key.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Timestamp": moment, "X-Signature": signature}
    return day.visitor.send("POST", path, content=body, headers=headers)


def bank_statement(
    *, payer: dict[str, Any], payee_account: str, number: str, amount: Decimal, purpose: str, on: date
) -> bytes:
    """Return one incoming payment in the exchange format of 1C, in the character set of banks."""
    lines = [
        "1CClientBankExchange",
        "ВерсияФормата=1.03",
        "Кодировка=Windows",
        "Отправитель=Клиент-Банк",
        f"РасчСчет={payee_account}",
        "СекцияДокумент=Платежное поручение",
        f"Номер={number}",
        f"Дата={on:%d.%m.%Y}",
        f"Сумма={amount}",
        f"ПлательщикСчет={payer['account']}",
        f"ДатаПоступило={on:%d.%m.%Y}",
        f"ПлательщикИНН={payer['inn']}",
        f"Плательщик1={payer['name']}",
        f"ПлательщикРасчСчет={payer['account']}",
        f"ПолучательСчет={payee_account}",
        f"ПолучательРасчСчет={payee_account}",
        f"НазначениеПлатежа={purpose}",
        "КонецДокумента",
        "КонецФайла",
    ]
    return "\r\n".join(lines).encode("cp1251")


def balance(day: Day) -> tuple[Decimal, Decimal, Decimal]:
    """Return the day's client's balance, the part held for orders and the available one (BILL-04)."""
    found: JSON = day.manager.get(f"billing/balances/{day.client.id}")
    return Decimal(found["balance"]), Decimal(found["held"]), Decimal(found["available"])
