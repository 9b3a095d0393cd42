"""What a bank's statement says: which documents are payments to us, from whom, when, and for which invoice."""

from datetime import date
from decimal import Decimal

import pytest

from services.billing.domain.statement import IncomingPayment, StatementError, decode, incoming_payments

OURS = "40702810500000012345"
DOCUMENT = {
    "Номер": "17",
    "Дата": "16.03.2026",
    "ДатаПоступило": "17.03.2026",
    "Сумма": "5174.50",
    "Плательщик": "ООО «Автосервис» в банке",
    "Плательщик1": "ООО «Автосервис»",
    "ПлательщикИНН": "6658123451",
    "ПлательщикСчет": "30101",
    "ПлательщикРасчСчет": "40702810900000054321",
    "ПолучательСчет": OURS,
    "НазначениеПлатежа": "Оплата по счету № 42-2026 от 16.03.2026",
}


def section(**changes: str | None) -> list[str]:
    """The lines of one document; None leaves a field out."""
    fields = {**DOCUMENT, **changes}
    lines = [f"{name}={value}" for name, value in fields.items() if value is not None]
    return ["СекцияДокумент=Платежное поручение", *lines, "КонецДокумента"]


def read(*lines: str) -> list[IncomingPayment]:
    return incoming_payments("\r\n".join(["1CClientBankExchange", "РасчСчет=" + OURS, *lines]), {OURS})


def only(**changes: str | None) -> IncomingPayment:
    [payment] = read(*section(**changes))
    return payment


def test_every_field_of_a_payment_is_read() -> None:
    assert only() == IncomingPayment(
        number="17",
        dated=date(2026, 3, 16),
        day=date(2026, 3, 17),
        amount=Decimal("5174.50"),
        payer_name="ООО «Автосервис»",
        payer_inn="6658123451",
        payer_account="40702810900000054321",
        payee_account=OURS,
        purpose="Оплата по счету № 42-2026 от 16.03.2026",
    )


def test_what_a_bank_leaves_out_is_taken_from_the_next_best_field() -> None:
    payment = only(ДатаПоступило=None, Плательщик1=None, ПлательщикРасчСчет=None)
    assert payment.day == date(2026, 3, 16)
    assert payment.payer_name == "ООО «Автосервис» в банке"
    assert payment.payer_account == "30101"


def test_what_nobody_says_is_empty() -> None:
    names = ("Плательщик", "Плательщик1", "ПлательщикИНН", "ПлательщикСчет", "ПлательщикРасчСчет", "НазначениеПлатежа")
    payment = only(**dict.fromkeys(names))
    assert (payment.payer_name, payment.payer_inn, payment.payer_account, payment.purpose) == ("", None, None, "")


def test_long_values_are_cut_to_the_columns() -> None:
    long = "1" * 1001
    names = ("Номер", "Плательщик1", "ПлательщикИНН", "ПлательщикРасчСчет", "НазначениеПлатежа")
    payment = only(**dict.fromkeys(names, long))
    fields = (payment.number, payment.payer_name, payment.payer_inn, payment.payer_account, payment.purpose)
    assert [len(field or "") for field in fields] == [50, 300, 20, 50, 1000]


def test_either_field_may_name_our_account_and_the_current_account_is_shown() -> None:
    payment = only(ПолучательСчет="30101", ПолучательРасчСчет=OURS)
    assert payment.payee_account == OURS
    assert only(ПолучательСчет=OURS, ПолучательРасчСчет="30101").payee_account == "30101"
    assert read(*section(ПолучательСчет="30101")) == []
    assert read(*section(ПолучательСчет=None)) == []


def test_documents_stay_apart_and_what_stands_outside_belongs_to_none() -> None:
    first, second = read(
        "КонецДокумента", *section(Номер="1"), "Сумма=9.99", "КонецДокумента", *section(Номер="2", ПлательщикИНН=None)
    )
    assert (first.number, first.amount, first.payer_inn) == ("1", Decimal("5174.50"), "6658123451")
    assert (second.number, second.payer_inn) == ("2", None)


def test_values_keep_their_equals_signs_and_lose_their_spaces() -> None:
    assert only(НазначениеПлатежа="  a=b=c  ").purpose == "a=b=c"
    assert read(*(f"  {line}  " for line in section())) == [only()]


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", "1.00"), ("0.5", "0.50"), ("1,25", "1.25"), ("1 234 567.8", "1234567.80"), ("99999999999.99", None)],
)
def test_an_amount_has_two_places_whatever_the_bank_writes(text: str, amount: str | None) -> None:
    found = only(Сумма=text).amount
    assert str(found) == (amount or text)


@pytest.mark.parametrize("text", ["0", "0.00", "-1", "1.234", "1e3", "NaN", "", "100000000000", "рубль"])
def test_what_is_no_sum_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(StatementError, match=r"^Документ в строке 3: недопустимая сумма"):
        only(Сумма=text)


@pytest.mark.parametrize("changes", [{"Номер": None}, {"Дата": None}, {"Сумма": None}, {"Дата": "2026-03-16"}])
def test_a_document_without_number_date_or_sum_is_refused_with_its_line(changes: dict[str, str | None]) -> None:
    with pytest.raises(StatementError, match=r"^Документ в строке 3: нет номера, даты или суммы"):
        only(**changes)


def test_the_same_document_has_the_same_identity_before_and_after_the_money_came() -> None:
    assert only().external_id == "2026-03-16 17 40702810900000054321 5174.50"
    assert only(ДатаПоступило=None).external_id == only().external_id
    bare = only(ПлательщикРасчСчет=None, ПлательщикСчет=None)
    assert bare.external_id == "2026-03-16 17  5174.50"


@pytest.mark.clause("BILL-02")
@pytest.mark.parametrize(
    ("purpose", "number"),
    [
        ("Оплата по счету № 42-2026 от 16.03.2026", "42-2026"),
        ("ОПЛАТА СЧЁТА НА ОПЛАТУ N 7-2026", "7-2026"),
        ("за запчасти, сч42-2026", None),
        ("Оплата по договору 42-2026", None),
    ],
)
def test_an_invoice_is_recognised_by_the_number_in_the_purpose(purpose: str, number: str | None) -> None:
    assert only(НазначениеПлатежа=purpose).invoice_number == number


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_a_statement_is_read_in_the_encodings_of_banks(encoding: str) -> None:
    assert decode("\n1CClientBankExchange\nПлательщик=Ёж".encode(encoding)).endswith("Плательщик=Ёж")


def test_a_byte_that_no_encoding_knows_does_not_lose_the_statement() -> None:
    assert decode(b"1CClientBankExchange\n\x98\xcf") == "1CClientBankExchange\n\ufffdП"


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", "Выписка\n1CClientBankExchange".encode(), b"1CClientBankExchange\x00"]
)
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(StatementError, match="первая строка должна быть «1CClientBankExchange»"):
        decode(content)
