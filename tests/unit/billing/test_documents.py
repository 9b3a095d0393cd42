"""What is printed: read back from the rendered pages, as a bank's application and a person would."""

from datetime import date
from decimal import Decimal

import pypdfium2
import pytest
import zxingcpp

from services.billing.domain.documents.data import Document, DocumentKind, Line
from services.billing.domain.documents.render import render_pdf
from services.billing.domain.money import amount_in_figures, amount_in_words, vat_rate_on, vat_within
from services.billing.domain.payment_qr import payment_order
from shared.contracts.control import VatSetting
from tests.support import billing_samples


def pages(kind: DocumentKind, document: Document) -> list[str]:
    pdf = pypdfium2.PdfDocument(render_pdf(kind, document))
    # Spaces that do not break come back as they are; people do not see the difference.
    return [" ".join(page.get_textpage().get_text_range().replace("\u00a0", " ").split()) for page in pdf]


def decoded_qr(pdf: bytes) -> dict[str, str]:
    image = pypdfium2.PdfDocument(pdf)[0].render(scale=3).to_pil()
    [code] = zxingcpp.read_barcodes(image)
    header, *fields = code.text.split("|")
    assert header == "ST00012"
    return dict(field.split("=", 1) for field in fields)


@pytest.mark.clause("BILL-01")
def test_the_payment_code_of_the_rendered_invoice_names_account_and_sum() -> None:
    document = billing_samples.invoice()
    fields = decoded_qr(render_pdf("invoice", document))
    assert fields == {
        "Name": "ООО «ПроДеталь Урал»",
        "PersonalAcc": billing_samples.BANK.account,
        "BankName": billing_samples.BANK.name,
        "BIC": billing_samples.BANK.bic,
        "CorrespAcc": billing_samples.BANK.correspondent_account,
        "Sum": "517450",
        "Purpose": "Оплата по счету № 42-2026 от 16.03.2026. В том числе НДС 22 % 933-11",
        "PayeeINN": "6623029538",
        "KPP": "662301001",
    }


@pytest.mark.clause("BILL-01", "BILL-05")
def test_an_invoice_says_everything_a_bookkeeper_looks_for() -> None:
    [page] = pages("invoice", billing_samples.invoice())
    for expected in (
        "Счёт на оплату № 42-2026 от 16 марта 2026 г.",
        "ИНН 6623029538",
        "КПП 662301001",
        billing_samples.BANK.bic,
        billing_samples.BANK.account,
        "ООО «Автосервис Уральский», ИНН 6658123451",
        "Заказ № 1017",
        "OC 90 OF",
        "В том числе НДС 22 %: 933,11",
        "Всего к оплате: 5 174,50",
        "Пять тысяч сто семьдесят четыре рубля 50 копеек",
        "Иванов И. И.",
    ):
        assert expected in page, f"{expected!r} is not in {page}"


def test_an_invoice_for_a_part_of_the_order_shows_both_sums() -> None:
    [page] = pages("invoice", billing_samples.invoice(amount=Decimal("1000.00")))
    assert "Итого по заказу: 5 174,50" in page
    assert "К оплате по счёту: 1 000,00" in page
    assert "Одна тысяча рублей 00 копеек" in page


def test_without_vat_the_invoice_says_so() -> None:
    document = billing_samples.invoice(seller=billing_samples.seller(vat_rate=None))
    [page] = pages("invoice", document)
    assert "Без НДС" in page
    assert document.purpose.endswith("Без НДС")


@pytest.mark.clause("BILL-05", "ORD-10")
def test_a_waybill_has_two_copies_on_sheets_of_their_own() -> None:
    first, second = pages("waybill", billing_samples.waybill())
    for number, page in enumerate((first, second), 1):
        assert f"Экземпляр {number} из 2" in page
        assert "Расходная накладная № 7-2026" in page
        assert "Упаковка каждой позиции вскрыта" in page
        assert "Пять тысяч сто семьдесят четыре рубля 50 копеек" in page
        assert page.count("Получил") == page.count("Отпустил") == 1


@pytest.mark.clause("BILL-05", "ORD-11")
def test_every_sheet_of_both_copies_of_the_contract_is_signed_by_both_sides() -> None:
    sheets = pages("contract", billing_samples.contract(lines=billing_samples.many_lines(30)))
    assert len(sheets) >= 4
    text = " ".join(sheets)
    assert "Экземпляр 1 из 2" in text
    assert "Экземпляр 2 из 2" in text
    for number, sheet in enumerate(sheets, 1):
        assert "Продавец Покупатель" in sheet, f"sheet {number} has no place to sign"
    for disclosed in ("индивидуально под заказ", "нет каталога", "отказать в ней", "упаковка вскрывается"):
        assert text.count(disclosed) == 2, f"{disclosed!r} stands in each copy"
    assert text.count("Ничто в этом договоре не ограничивает прав") == 2


@pytest.mark.clause("BILL-05")
@pytest.mark.parametrize(("keeps", "title"), [(False, "Заявление на возврат"), (True, "Соглашение об уменьшении цены")])
def test_a_refund_application_names_sum_and_reason(keeps: bool, title: str) -> None:
    document = billing_samples.refund_application(keeps_goods=keeps)
    [page] = pages("refund_application", document)
    assert title in page
    assert document.reason in page
    assert amount_in_words(document.refund) in page


def test_long_tables_keep_every_line_and_repeat_their_heading() -> None:
    sheets = pages("invoice", billing_samples.invoice(lines=billing_samples.many_lines(60)))
    assert len(sheets) > 1
    text = " ".join(sheets)
    for number in range(1, 61):
        if number % 11:
            assert f"{number:03d}-A{number * 7919}" in text
    assert text.count("Наименование Артикул") == len([sheet for sheet in sheets if "-A" in sheet])


NASTY = '#panic() $x$ *b* _i_ @ref \\ <tag> `raw` "q" {{7*7}} // c'


def test_what_people_type_is_printed_and_not_executed() -> None:
    line = Line(article="#1", brand="*", description=NASTY, quantity=1, price=Decimal("1.00"), amount=Decimal("1.00"))
    [page] = pages(
        "invoice", billing_samples.invoice(lines=[line], buyer=billing_samples.BUYER.model_copy(update={"name": NASTY}))
    )
    assert page.count("{{7*7}}") == 2
    assert page.count("#panic()") == 2


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("invoice", billing_samples.invoice()),
        ("waybill", billing_samples.waybill()),
        ("refund_application", billing_samples.refund_application()),
        ("contract", billing_samples.contract()),
    ],
)
def test_the_same_document_is_the_same_file(kind: DocumentKind, document: Document) -> None:
    again = type(document).model_validate(document.model_dump(mode="json"))
    assert render_pdf(kind, document) == render_pdf(kind, again)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0.01", "Ноль рублей 01 копейка"),
        ("1.02", "Один рубль 02 копейки"),
        ("2.00", "Два рубля 00 копеек"),
        ("1000.00", "Одна тысяча рублей 00 копеек"),
        ("1500.50", "Одна тысяча пятьсот рублей 50 копеек"),
        ("2021.21", "Две тысячи двадцать один рубль 21 копейка"),
        ("1000000.11", "Один миллион рублей 11 копеек"),
    ],
)
def test_amounts_in_words(amount: str, words: str) -> None:
    assert amount_in_words(Decimal(amount)) == words


def test_figures_and_vat() -> None:
    assert amount_in_figures(Decimal("1234567.8")).replace("\u00a0", " ") == "1 234 567,80"
    assert vat_within(Decimal("122.00"), 22) == Decimal("22.00")
    assert vat_within(Decimal("0.01"), 20) == Decimal("0.00")
    settings = [
        VatSetting(effective_from=date(2025, 1, 1), rate_percent=20),
        VatSetting(effective_from=date(2026, 1, 1), rate_percent=22),
        VatSetting(effective_from=date(2027, 1, 1), rate_percent=None),
    ]
    days = {date(2024, 12, 31): None, date(2025, 12, 31): 20, date(2026, 1, 1): 22, date(2027, 6, 1): None}
    assert {day: vat_rate_on(day, settings) for day in days} == days


def test_a_separator_in_a_name_cannot_end_a_field_of_the_payment_code() -> None:
    text = payment_order(
        payee="Рога|Sum=1",
        account="1",
        bank_name="Б" * 100,
        bic="2",
        correspondent_account="3",
        amount=Decimal("10.01"),
        purpose="за\nзапчасти",
        payee_inn="4",
        payee_kpp=None,
    )
    assert text.count("Sum=") == 2
    assert "|Name=Рога Sum=1|" in text
    assert "|Sum=1001|" in text
    assert f"|BankName={'Б' * 45}|" in text
    assert "|Purpose=за запчасти|" in text
