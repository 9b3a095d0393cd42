"""Request and response bodies."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from services.billing.domain.documents.data import DocumentKind
from shared.contracts.billing import PaymentMethod
from shared.vocabulary.requisites import check_account, check_bic, check_correspondent_account, check_inn, check_kpp
from shared.web import Input, Output, Price, ShortText, one_line

Inn = Annotated[str, Field(max_length=12), AfterValidator(check_inn)]
Kpp = Annotated[str, Field(max_length=9), AfterValidator(check_kpp)]
Bic = Annotated[str, Field(max_length=9), AfterValidator(check_bic)]
AccountNumber = Annotated[str, Field(max_length=20)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(one_line)]


def _check_accounts(bic: str | None, account: str | None, correspondent_account: str | None) -> None:
    """Raises ValueError.  A key is computed over the БИК, so both come together."""
    if (account is not None or correspondent_account is not None) and bic is None:
        raise ValueError("вместе со счётом укажите БИК")
    if account is not None and bic is not None:
        check_account(bic, account)
    if correspondent_account is not None and bic is not None:
        check_correspondent_account(bic, correspondent_account)


class PayerChanges(Input):
    """Only the given fields change."""

    name: ShortText | None = None
    inn: Inn | None = None
    kpp: Kpp | None = None
    address: Address | None = None
    bank_name: ShortText | None = None
    bic: Bic | None = None
    account: AccountNumber | None = None
    correspondent_account: AccountNumber | None = None
    active: bool | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("name", "active"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"поле {name} нельзя очистить")
        _check_accounts(self.bic, self.account, self.correspondent_account)
        return self


class NewPayer(Input):
    """«Плательщик» (BILL-02): ИНН, БИК и счета проверяются по контрольным цифрам."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "client_id": "019aa000-0000-7000-8000-000000000001",
                    "name": "ООО «Автосервис на Мира»",
                    "inn": "7707083893",
                    "kpp": "773601001",
                    "address": "620000, Екатеринбург, ул. Мира, 1",
                    "bank_name": "ПАО Сбербанк",
                    "bic": "044525225",
                    "account": "40702810938000012345",
                    "correspondent_account": "30101810400000000225",
                }
            ]
        }
    )

    client_id: UUID
    name: ShortText
    inn: Inn | None = None
    kpp: Kpp | None = None
    address: Address | None = None
    bank_name: ShortText | None = None
    bic: Bic | None = None
    account: AccountNumber | None = None
    correspondent_account: AccountNumber | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.account is None) != (self.bic is None):
            raise ValueError("расчётный счёт и БИК указываются вместе")
        _check_accounts(self.bic, self.account, self.correspondent_account)
        return self


class PayerOut(Output):
    id: UUID
    client_id: UUID
    name: str
    inn: str | None
    kpp: str | None
    address: str | None
    bank_name: str | None
    bic: str | None
    account: str | None
    correspondent_account: str | None
    active: bool
    version: int


class IssueInvoice(Input):
    """Плательщик подставляется сам, если он у клиента один; сумма — неоплаченный остаток заказа."""

    client_id: UUID
    payer_id: UUID | None = None
    order_id: UUID | None = None
    amount: Price | None = None


class InvoiceOut(Output):
    id: UUID
    number: str
    day: date
    client_id: UUID
    payer_id: UUID | None
    order_id: UUID | None
    amount: Decimal
    paid: Decimal
    state: Literal["issued", "partly_paid", "paid"]
    state_label: str = ""
    issued_at: datetime
    document_id: UUID
    version: int

    @model_validator(mode="after")
    def _label(self) -> Self:
        labels = {"issued": "выставлен", "partly_paid": "оплачен частично", "paid": "оплачен"}
        self.state_label = labels[self.state]
        return self


class TakePayment(Input):
    """Касса: наличные или карта в офисе; по счёту, за заказ или просто на баланс."""

    client_id: UUID | None = None
    invoice_id: UUID | None = None
    order_id: UUID | None = None
    method: Literal["cash", "card"]
    amount: Price


class PayOut(Input):
    """Выплата с баланса."""

    client_id: UUID
    method: PaymentMethod
    amount: Price
    reason: ShortText


class AcquirerNotice(Input):
    """Уведомление эквайера о платеже."""

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    office_id: UUID
    client_id: UUID | None = None
    invoice_id: UUID | None = None
    order_id: UUID | None = None
    amount: Price
    currency: Literal["RUB"]
    status: Literal["succeeded"]


class PaymentOut(Output):
    id: UUID
    client_id: UUID
    order_id: UUID | None
    invoice_id: UUID | None
    method: PaymentMethod
    amount: Decimal
    received_at: datetime


class PayoutOut(Output):
    id: UUID
    client_id: UUID
    method: PaymentMethod
    amount: Decimal
    reason: str
    paid_at: datetime


class BalanceOut(Output):
    """BILL-04: `available` — свободно, `held` — в резерве под заказы, `balance` — вместе; минус — долг клиента."""

    client_id: UUID
    balance: Decimal
    held: Decimal
    available: Decimal
    version: int


class PostingOut(Output):
    account: str
    amount: Decimal = Field(description="дебет — плюс, кредит — минус")
    position_id: UUID | None


class EntryOut(Output):
    id: UUID
    at: datetime
    client_id: UUID
    kind: str
    kind_label: str
    text: str
    order_id: UUID | None
    postings: list[PostingOut]


class StatementOut(Output):
    matched: int = Field(description="зачислено")
    unmatched: int = Field(description="ждут разбора")
    repeated: int = Field(description="уже были в прежних выписках")


class StatementLineOut(Output):
    id: UUID
    number: str
    day: date
    payer_name: str
    payer_inn: str | None
    payer_account: str | None
    purpose: str
    amount: Decimal
    state: Literal["matched", "unmatched"]
    payment_id: UUID | None
    version: int


class AssignLine(Input):
    client_id: UUID
    invoice_id: UUID | None = None


class DocumentOut(Output):
    id: UUID
    kind: DocumentKind
    kind_label: str
    number: str
    day: date
    client_id: UUID
    order_id: UUID | None
    invoice_id: UUID | None
    shipment_id: UUID | None
    claim_id: UUID | None
    made_at: datetime


class MakeContract(Input):
    order_id: UUID
    payer_id: UUID | None = None


class ReceiptOut(Output):
    id: UUID
    client_id: UUID
    operation: Literal["sale", "refund"]
    method: PaymentMethod
    amount: Decimal
    payment_id: UUID | None
    requested_at: datetime
    fiscal_number: str | None
    version: int


class RegisterReceipt(Input):
    fiscal_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
