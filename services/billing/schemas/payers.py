"""Request and response bodies."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, model_validator

from shared.vocabulary import fields
from shared.vocabulary.fields import AccountNumber, Bic, Inn, Kpp, one_line
from shared.vocabulary.requisites import check_account, check_correspondent_account
from shared.web import Input, Output, ShortText

Address = Annotated[fields.Address, AfterValidator(one_line)]


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
