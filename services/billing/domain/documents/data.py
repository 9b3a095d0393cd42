"""What each printed document says (BILL-05), frozen when it is made: it prints the same at any time.

Templates only lay out: figures, words and dates come to them as finished text.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.billing.domain.money import (
    amount_in_figures,
    amount_in_words,
    date_in_words,
    vat_within,
)
from services.billing.domain.payment_qr import payment_order

DocumentKind = Literal["invoice", "waybill", "refund_application", "contract"]

KIND_LABELS: dict[DocumentKind, str] = {
    "invoice": "Счёт на оплату",
    "waybill": "Расходная накладная",
    "refund_application": "Заявление на возврат",
    "contract": "Договор",
}


class Part(BaseModel):
    """A frozen part of a document."""

    model_config = ConfigDict(frozen=True)


class Party(Part):
    """A side of a document: the office's legal entity, a payer, or a person."""

    name: str
    inn: str | None = None
    kpp: str | None = None
    address: str | None = None
    phone: str | None = None

    @property
    def in_one_line(self) -> str:
        """Return the party as documents print it: name, numbers, address, phone."""
        parts = [
            self.name,
            self.inn and f"ИНН {self.inn}",
            self.kpp and f"КПП {self.kpp}",
            self.address,
            self.phone and f"тел.: {self.phone}",
        ]
        return ", ".join(part for part in parts if part)


class Bank(Part):
    """An account and the bank that keeps it."""

    name: str
    bic: str
    account: str
    correspondent_account: str | None = None


class Seller(Party):
    """The office that issues the document."""

    office_name: str
    office_address: str
    ogrn: str
    email: str
    city: str
    director_name: str
    accountant_name: str | None = None
    bank: Bank | None = None
    vat_rate: int | None = None
    """Percent on the document's date; None is «без НДС»."""


class Line(Part):
    """A row of the table of goods."""

    article: str | None = None
    brand: str | None = None
    description: str
    quantity: int
    price: Decimal
    amount: Decimal

    def printed(self, number: int) -> dict[str, str]:
        """Return the cells of the row as text."""
        return {
            "number": str(number),
            "name": " ".join(part for part in (self.description, self.brand) if part),
            "article": self.article or "—",
            "quantity": str(self.quantity),
            "price": amount_in_figures(self.price),
            "amount": amount_in_figures(self.amount),
        }


class Document(Part):
    """Common to all kinds."""

    number: str
    day: date
    """Local date of the office."""
    seller: Seller

    def printed(self) -> dict[str, Any]:
        """Return the JSON that the template lays out."""
        return {
            "number": self.number,
            "day": date_in_words(self.day),
            "seller": {**self.seller.model_dump(mode="json"), "line": self.seller.in_one_line},
        }


class InvoiceDocument(Document):
    """«Счёт на оплату» (BILL-01)."""

    buyer: Party
    order_number: str | None
    lines: Sequence[Line]
    amount: Decimal
    """To pay by this invoice; may be less than the lines where a part is paid already or a prepayment is asked."""

    @property
    def purpose(self) -> str:
        """Return the purpose of the payment; a bank statement is matched by the number in it."""
        vat = (
            f"В том числе НДС {self.seller.vat_rate} % {vat_within(self.amount, self.seller.vat_rate):.2f}".replace(
                ".", "-"
            )
            if self.seller.vat_rate is not None
            else "Без НДС"
        )
        return f"Оплата по счету № {self.number} от {self.day:%d.%m.%Y}. {vat}"

    @property
    def qr_text(self) -> str | None:
        """Return the text of the payment code; None where the office has no bank account to pay to."""
        bank = self.seller.bank
        if bank is None:
            return None
        return payment_order(
            payee=self.seller.name,
            account=bank.account,
            bank_name=bank.name,
            bic=bank.bic,
            correspondent_account=bank.correspondent_account or "0",
            amount=self.amount,
            purpose=self.purpose,
            payee_inn=self.seller.inn or "",
            payee_kpp=self.seller.kpp,
        )

    def printed(self) -> dict[str, Any]:
        """Return the JSON of an invoice: goods, buyer, basis, purpose."""
        return {
            **super().printed(),
            **_goods(self.lines, self.seller.vat_rate, to_pay=self.amount),
            "buyer": self.buyer.in_one_line,
            "basis": f"Заказ № {self.order_number}" if self.order_number else None,
            "purpose": self.purpose,
        }


class WaybillDocument(Document):
    """«Расходная накладная», two copies (ORD-10)."""

    buyer: Party
    order_numbers: Sequence[str]
    lines: Sequence[Line]

    def printed(self) -> dict[str, Any]:
        """Return the JSON of a waybill: goods, buyer, order numbers."""
        return {
            **super().printed(),
            **_goods(self.lines, self.seller.vat_rate),
            "buyer": self.buyer.in_one_line,
            "buyer_name": self.buyer.name,
            "basis": ", ".join(f"заказ № {number}" for number in self.order_numbers) or None,
        }


class RefundApplicationDocument(Document):
    """«Заявление на возврат»; `keeps_goods` when the client keeps the part at a lower price."""

    applicant: Party
    order_number: str | None
    line: Line
    refund: Decimal
    reason: str
    keeps_goods: bool

    def printed(self) -> dict[str, Any]:
        """Return the JSON of an application: applicant, part, sum in figures and words, reason."""
        return {
            **super().printed(),
            "applicant": self.applicant.model_dump(mode="json"),
            "order_number": self.order_number,
            "line": self.line.printed(1),
            "refund": amount_in_figures(self.refund),
            "refund_words": amount_in_words(self.refund),
            "reason": self.reason,
            "keeps_goods": self.keeps_goods,
        }


class ContractDocument(Document):
    """«Договор», two copies with a place to sign on each sheet (ORD-11, BILL-05)."""

    buyer: Party
    buyer_bank: Bank | None = None
    order_number: str
    vehicle: str | None
    lines: Sequence[Line]

    def printed(self) -> dict[str, Any]:
        """Return the JSON of a contract: goods, buyer with bank, vehicle."""
        return {
            **super().printed(),
            **_goods(self.lines, self.seller.vat_rate),
            "buyer": {
                **self.buyer.model_dump(mode="json"),
                "bank": self.buyer_bank.model_dump(mode="json") if self.buyer_bank else None,
            },
            "order_number": self.order_number,
            "vehicle": self.vehicle,
        }


def _goods(lines: Sequence[Line], vat_rate: int | None, *, to_pay: Decimal | None = None) -> dict[str, Any]:
    """Return the table of goods with its totals and VAT."""
    total = sum((line.amount for line in lines), Decimal())
    amount = total if to_pay is None else to_pay
    return {
        "lines": [line.printed(number) for number, line in enumerate(lines, 1)],
        "line_count": len(lines),
        "total": amount_in_figures(total),
        "vat_label": "Без НДС" if vat_rate is None else f"В том числе НДС {vat_rate} %",
        "vat": "—" if vat_rate is None else amount_in_figures(vat_within(amount, vat_rate)),
        "amount": amount_in_figures(amount),
        "amount_words": amount_in_words(amount),
        "partial": amount != total,
    }


DOCUMENT_CLASSES: dict[DocumentKind, type[Document]] = {
    "invoice": InvoiceDocument,
    "waybill": WaybillDocument,
    "refund_application": RefundApplicationDocument,
    "contract": ContractDocument,
}
