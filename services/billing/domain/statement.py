"""Read bank statements in the exchange format «1CClientBankExchange»."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

HEADER = "1CClientBankExchange"
INVOICE_NUMBER = re.compile(r"сч[её]т\w*\s*(?:на\s+оплату\s*)?(?:№|N|#)?\s*(\d{1,9}-\d{4})", re.IGNORECASE)
"""The purpose that our invoices ask for: «Оплата по счету № 42-2026 от …»."""
AMOUNT = re.compile(r"[0-9]{1,11}(\.[0-9]{1,2})?")
"""Roubles and kopecks; other notations that Decimal would read are no sums of a bank."""


class StatementError(ValueError):
    """The file is not a statement; the message is Russian."""


@dataclass(frozen=True, slots=True)
class IncomingPayment:
    """A document of the bank that credits one of the office's accounts."""

    number: str
    dated: date
    """The document's own date."""
    day: date
    """When the money came, as far as the bank says."""
    amount: Decimal
    payer_name: str
    payer_inn: str | None
    payer_account: str | None
    payee_account: str
    purpose: str

    @property
    def external_id(self) -> str:
        """Identify the bank document, the same in every statement that holds it.

        The day the money came is no part of it: a statement of the same day may not name it yet.
        """
        return f"{self.dated:%Y-%m-%d} {self.number} {self.payer_account or ''} {self.amount:.2f}"

    @property
    def invoice_number(self) -> str | None:
        """Return the number of the invoice that the purpose names; None without one."""
        found = INVOICE_NUMBER.search(self.purpose)
        return found[1] if found else None


def decode(content: bytes) -> str:
    """Decode Windows-1251, as banks write it, or UTF-8.  Raises StatementError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1251", errors="replace")
    if not text.lstrip().startswith(HEADER) or "\x00" in text:
        raise StatementError(f"Это не выписка: первая строка должна быть «{HEADER}».")
    return text


def incoming_payments(text: str, our_accounts: set[str]) -> list[IncomingPayment]:
    """Return the documents that credit one of our accounts.  Raises StatementError with the number of the bad line."""
    payments = []
    document: dict[str, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        key, _, value = line.strip().partition("=")
        if key == "СекцияДокумент":
            document = {"line": str(number)}
        elif key == "КонецДокумента" and document is not None:
            if document.get("ПолучательСчет", "") in our_accounts or (
                document.get("ПолучательРасчСчет", "") in our_accounts
            ):
                payments.append(_payment(document))
            document = None
        elif document is not None:
            document[key] = value.strip()
    return payments


def _payment(document: dict[str, str]) -> IncomingPayment:
    try:
        amount = _amount(document["Сумма"])
        dated = _date(document["Дата"])
        day = _date(document.get("ДатаПоступило") or document["Дата"])
        number = document["Номер"]
    except (KeyError, ValueError) as error:
        raise StatementError(f"Документ в строке {document['line']}: нет номера, даты или суммы.") from error
    if amount is None:
        raise StatementError(f"Документ в строке {document['line']}: недопустимая сумма.")
    return IncomingPayment(
        number=number[:50],
        dated=dated,
        day=day,
        amount=amount,
        payer_name=(document.get("Плательщик1") or document.get("Плательщик") or "")[:300],
        payer_inn=document.get("ПлательщикИНН", "")[:20] or None,
        payer_account=(document.get("ПлательщикРасчСчет") or document.get("ПлательщикСчет") or "")[:50] or None,
        payee_account=document.get("ПолучательРасчСчет") or document.get("ПолучательСчет") or "",
        purpose=document.get("НазначениеПлатежа", "")[:1000],
    )


def _date(text: str) -> date:
    """Parse a date like 21.11.2026.  Raises ValueError."""
    return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007


def _amount(text: str) -> Decimal | None:
    """Parse an amount above zero, with two decimal places; return None for anything else."""
    plain = text.replace(",", ".").replace(" ", "")
    amount = Decimal(plain).quantize(Decimal("0.01")) if AMOUNT.fullmatch(plain) else None
    return amount or None
