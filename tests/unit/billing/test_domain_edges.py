"""The edges of what is printed and booked: every field of a template's data, roundings, lengths of the payment code."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from services.billing.domain import ledger
from services.billing.domain.documents.data import Bank, Line, Party
from services.billing.domain.documents.render import LAYOUT, TEMPLATES, qr_svg
from services.billing.domain.ledger import LedgerAccount, Posting
from services.billing.domain.money import (
    amount_in_figures,
    amount_in_words,
    date_in_words,
    vat_rate_on,
    vat_within,
)
from services.billing.domain.payment_qr import payment_order
from shared.contracts.control import VatSetting
from tests.support import billing_samples

SPACE = "\u00a0"
PARTY = Party(name="Имя", inn="1", kpp="2", address="Адрес", phone="3")
PRINTED_LINES = [
    {
        "number": "1",
        "name": "Колодки тормозные дисковые, передние ATE",
        "article": "13.0460-7213.2",
        "quantity": "1",
        "price": f"4{SPACE}350,50",
        "amount": f"4{SPACE}350,50",
    },
    {
        "number": "2",
        "name": "Фильтр масляный MAHLE/KNECHT",
        "article": "OC 90 OF",
        "quantity": "2",
        "price": "412,00",
        "amount": "824,00",
    },
]
GOODS = {
    "lines": PRINTED_LINES,
    "line_count": 2,
    "total": f"5{SPACE}174,50",
    "vat_label": "В том числе НДС 22 %",
    "vat": "933,11",
    "amount": f"5{SPACE}174,50",
    "amount_words": "Пять тысяч сто семьдесят четыре рубля 50 копеек",
    "partial": False,
}


def head(number: str) -> dict[str, object]:
    seller = billing_samples.seller()
    line = (
        "ООО «ПроДеталь Урал», ИНН 6623029538, КПП 662301001, "
        "622036, Свердловская обл., г. Нижний Тагил, ул. Фестивальная, д. 5а, тел.: +7 3435 55-01-01"
    )
    return {
        "number": number,
        "day": f"16{SPACE}марта 2026{SPACE}г.",
        "seller": {**seller.model_dump(mode="json"), "line": line},
    }


def test_a_party_in_one_line_has_what_is_known() -> None:
    assert PARTY.in_one_line == "Имя, ИНН 1, КПП 2, Адрес, тел.: 3"
    assert Party(name="Имя").in_one_line == "Имя"


def test_a_line_without_article_or_brand_shows_no_gap() -> None:
    printed = Line(description="Деталь", quantity=3, price=Decimal(1), amount=Decimal(3)).printed(7)
    expected = {"number": "7", "name": "Деталь", "article": "—", "quantity": "3", "price": "1,00", "amount": "3,00"}
    assert printed == expected


@pytest.mark.clause("BILL-01")
def test_the_data_of_an_invoice() -> None:
    buyer = billing_samples.BUYER
    assert billing_samples.invoice().printed() == {
        **head("42-2026"),
        **GOODS,
        "buyer": f"ООО «Автосервис Уральский», ИНН 6658123451, КПП 665801001, {buyer.address}, тел.: +7 922 555-01-02",
        "basis": "Заказ № 1017",
        "purpose": "Оплата по счету № 42-2026 от 16.03.2026. В том числе НДС 22 % 933-11",
    }


@pytest.mark.clause("BILL-01")
def test_the_data_of_an_invoice_for_a_part_without_order_and_vat() -> None:
    seller = billing_samples.seller(vat_rate=None)
    printed = billing_samples.invoice(amount=Decimal(1000), order_number=None, seller=seller).printed()
    assert printed["basis"] is None
    assert printed["purpose"] == "Оплата по счету № 42-2026 от 16.03.2026. Без НДС"
    assert (printed["vat_label"], printed["vat"]) == ("Без НДС", "—")
    assert (printed["total"], printed["amount"]) == (f"5{SPACE}174,50", f"1{SPACE}000,00")
    assert printed["amount_words"] == "Одна тысяча рублей 00 копеек"
    assert printed["partial"] is True


def test_the_vat_of_a_part_is_that_of_the_part() -> None:
    assert billing_samples.invoice(amount=Decimal(122)).printed()["vat"] == "22,00"


@pytest.mark.clause("ORD-10")
def test_the_data_of_a_waybill() -> None:
    assert billing_samples.waybill().printed() == {
        **head("7-2026"),
        **GOODS,
        "buyer": "Кузнецов Андрей Викторович, тел.: +7 922 555-01-03",
        "buyer_name": "Кузнецов Андрей Викторович",
        "basis": "заказ № 1017, заказ № 1020",
    }
    assert billing_samples.waybill(order_numbers=[]).printed()["basis"] is None


@pytest.mark.clause("RET-02", "RET-06")
def test_the_data_of_a_refund_application() -> None:
    document = billing_samples.refund_application(keeps_goods=True)
    assert document.printed() == {
        **head("3-2026"),
        "applicant": billing_samples.PERSON.model_dump(mode="json"),
        "order_number": "1017",
        "line": PRINTED_LINES[0],
        "refund": f"4{SPACE}350,50",
        "refund_words": "Четыре тысячи триста пятьдесят рублей 50 копеек",
        "reason": document.reason,
        "keeps_goods": True,
    }


@pytest.mark.clause("ORD-11", "BILL-05")
def test_the_data_of_a_contract() -> None:
    person = billing_samples.PERSON.model_dump(mode="json")
    document = billing_samples.contract()
    expected = {**head("1017"), **GOODS, "order_number": "1017", "vehicle": document.vehicle}
    assert document.printed() == {**expected, "buyer": {**person, "bank": None}}
    bank = billing_samples.BANK
    with_bank = billing_samples.contract(buyer_bank=bank).printed()
    assert with_bank["buyer"] == {**person, "bank": bank.model_dump(mode="json")}


def test_the_payment_code_of_an_office_without_some_requisites() -> None:
    bank = Bank(name="Банк", bic="046577674", account="40702")
    seller = billing_samples.seller(bank=bank, inn=None, kpp=None, vat_rate=None)
    text = billing_samples.invoice(seller=seller, amount=Decimal("0.07")).qr_text
    assert text == (
        "ST00012|Name=ООО «ПроДеталь Урал»|PersonalAcc=40702|BankName=Банк|BIC=046577674|CorrespAcc=0|Sum=7"
        "|Purpose=Оплата по счету № 42-2026 от 16.03.2026. Без НДС"
    )
    assert billing_samples.invoice(seller=billing_samples.seller(bank=None)).qr_text is None


def test_texts_of_the_payment_code_are_cut_to_the_standard() -> None:
    text = payment_order(
        payee="Н" * 161,
        account="1" * 20,
        bank_name="Б" * 44 + " Б",
        bic="2" * 9,
        correspondent_account="3" * 20,
        amount=Decimal("10.01"),
        purpose="П|О\n" + "З" * 300,
        payee_inn="4" * 10,
        payee_kpp="5" * 9,
    )
    assert text.split("|") == [
        "ST00012",
        "Name=" + "Н" * 160,
        "PersonalAcc=" + "1" * 20,
        "BankName=" + "Б" * 44,
        "BIC=" + "2" * 9,
        "CorrespAcc=" + "3" * 20,
        "Sum=1001",
        "Purpose=П О " + "З" * 206,
        "PayeeINN=" + "4" * 10,
        "KPP=" + "5" * 9,
    ]


def test_the_payment_code_has_a_quiet_border_and_middle_correction() -> None:
    # 1 module of data a cell: version 2 has 25 cells, and 2 more on each side.
    assert 'width="29" height="29"' in qr_svg("ST00012|Name=Офис")


def test_amounts_are_rounded_to_a_kopeck_and_read_out() -> None:
    assert amount_in_figures(Decimal(0)) == "0,00"
    assert amount_in_figures(Decimal("1234567.8")) == f"1{SPACE}234{SPACE}567,80"
    assert amount_in_words(Decimal("2.5")) == "Два рубля 50 копеек"
    assert amount_in_words(Decimal(3)) == "Три рубля 00 копеек"


@pytest.mark.parametrize(
    ("day", "words"), [(date(2026, 1, 5), "5 января 2026 г."), (date(2026, 12, 31), "31 декабря 2026 г.")]
)
def test_dates_in_words(day: date, words: str) -> None:
    assert date_in_words(day).replace(SPACE, " ") == words


def test_half_a_kopeck_of_vat_is_rounded_up() -> None:
    # 0.15 · 20 / 120 = 0.025
    assert vat_within(Decimal("0.15"), 20) == Decimal("0.03")
    assert vat_within(Decimal("122.00"), 22) == Decimal("22.00")


def test_the_rate_is_the_latest_that_is_in_force() -> None:
    settings = [
        VatSetting(effective_from=date(2026, 1, 1), rate_percent=22),
        VatSetting(effective_from=date(2025, 1, 1), rate_percent=20),
    ]
    assert vat_rate_on(date(2026, 1, 1), settings) == 22
    assert vat_rate_on(date(2025, 12, 31), settings) == 20
    assert vat_rate_on(date(2024, 12, 31), settings) is None


POSITION, OTHER = UUID(int=1), UUID(int=2)
SUM = Decimal("100.00")


@pytest.mark.clause("BILL-03")
def test_every_fact_is_booked_on_its_accounts() -> None:
    account = LedgerAccount
    assert ledger.payment("cash", SUM) == [Posting(account.CASH, SUM), Posting(account.AVAILABLE, -SUM)]
    assert ledger.payout("card", SUM) == [Posting(account.AVAILABLE, SUM), Posting(account.CARD, -SUM)]
    assert ledger.hold(SUM, POSITION) == [
        Posting(account.AVAILABLE, SUM, POSITION),
        Posting(account.HELD, -SUM, POSITION),
    ]
    assert ledger.release(SUM, POSITION) == [
        Posting(account.HELD, SUM, POSITION),
        Posting(account.AVAILABLE, -SUM, POSITION),
    ]
    assert ledger.sale(SUM, Decimal("20.00"), POSITION) == [
        Posting(account.HELD, SUM, POSITION),
        Posting(account.AVAILABLE, Decimal("20.00"), POSITION),
        Posting(account.SALES, Decimal("-120.00"), POSITION),
    ]
    assert [posting.account for posting in ledger.sale(SUM, Decimal(0), POSITION)] == [account.HELD, account.SALES]
    assert ledger.refund(SUM, POSITION) == [
        Posting(account.SALES, SUM, POSITION),
        Posting(account.AVAILABLE, -SUM, POSITION),
    ]


def test_an_unbalanced_entry_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="add up to zero"):
        ledger.effect([Posting(LedgerAccount.CASH, SUM)])


def test_money_is_set_aside_in_the_order_of_the_positions() -> None:
    assert ledger.allocate(SUM, [(POSITION, Decimal(60)), (OTHER, Decimal(60))]) == [
        (POSITION, Decimal(60)),
        (OTHER, Decimal("40.00")),
    ]
    assert ledger.allocate(Decimal("0.01"), [(POSITION, SUM)]) == [(POSITION, Decimal("0.01"))]
    assert ledger.allocate(SUM, [(POSITION, SUM), (OTHER, SUM)]) == [(POSITION, SUM)]
    assert ledger.allocate(Decimal(0), [(POSITION, SUM)]) == []


def test_new_documents_have_a_layout_that_exists() -> None:
    assert (TEMPLATES / f"v{LAYOUT}").is_dir()
