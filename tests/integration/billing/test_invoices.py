"""Payers, invoices, bank statements."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pypdfium2
import pytest

from shared.contracts.billing import InvoiceIssued, InvoicePaid, OrderPaid
from shared.persistence.database import new_id
from tests.integration.billing.conftest import ACCOUNT, Till


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def statement(*documents: dict[str, str], encoding: str = "cp1251") -> bytes:
    lines = ["1CClientBankExchange", "ВерсияФормата=1.03", f"РасчСчет={ACCOUNT}"]
    for document in documents:
        lines.append("СекцияДокумент=Платежное поручение")
        lines += [f"{key}={value}" for key, value in document.items()]
        lines.append("КонецДокумента")
    return "\r\n".join([*lines, "КонецФайла"]).encode(encoding)


def transfer(amount: str, purpose: str, **changes: str) -> dict[str, str]:
    return {
        "Номер": str(new_id().int % 100_000),
        "Дата": "20.11.2026",
        "ДатаПоступило": "21.11.2026",
        "Сумма": amount,
        "ПлательщикСчет": "40702810900000000001",
        "Плательщик1": "ООО «Ромашка»",
        "ПлательщикИНН": "7707083893",
        "ПолучательСчет": ACCOUNT,
        "НазначениеПлатежа": purpose,
        **changes,
    }


async def upload(till: Till, content: bytes) -> httpx.Response:
    async with till.manager() as http:
        return await http.post("/bank-statements", content=content, headers={"Content-Type": "text/plain"})


async def invoice(till: Till, **body: Any) -> dict[str, Any]:
    async with till.manager() as http:
        response = await http.post("/invoices", json={"client_id": str(till.client_id)} | body)
    assert response.status_code == 201, response.text
    issued: dict[str, Any] = response.json()
    return issued


@pytest.mark.clause("BILL-01", "BILL-02")
async def test_an_invoice_fills_in_the_only_payer_and_the_unpaid_rest(till: Till, payer: dict[str, Any]) -> None:
    order = await till.placed("1000.00", "500.50")
    await till.pay("100.50", order_id=order.order_id)
    async with till.manager() as http:
        known = (await http.post("/payers", json=payer)).json()
    issued = await invoice(till, order_id=str(order.order_id))
    assert (issued["payer_id"], issued["amount"], issued["state_label"]) == (known["id"], "1400.00", "выставлен")
    [event] = await till.billing.published(InvoiceIssued, order_id=order.order_id)
    assert event.amount == Decimal("1400.00")
    async with till.client() as http:
        pdf = await http.get(f"/invoices/{issued['id']}/document")
    assert pdf.headers["content-type"] == "application/pdf"
    said = text_of(pdf.content)
    for expected in (
        f"Счёт на оплату № {issued['number']}",
        "Автосервис на Мира",
        "ООО «ПроДеталь»",
        "Одна тысяча четыреста рублей 00 копеек",
        "В том числе НДС 22 %",
        "044525225",
        ACCOUNT,
        order.number,
    ):
        assert expected in said, f"{expected!r} is not in {said}"


@pytest.mark.clause("BILL-02")
async def test_with_several_payers_one_has_to_be_chosen(till: Till, payer: dict[str, Any]) -> None:
    async with till.manager() as http:
        first = (await http.post("/payers", json=payer)).json()
        await http.post("/payers", json=payer | {"name": "Второй счёт"})
        ambiguous = await http.post("/invoices", json={"client_id": str(till.client_id), "amount": "10.00"})
    assert ambiguous.status_code == 422
    assert (await invoice(till, amount="10.00", payer_id=first["id"]))["payer_id"] == first["id"]


@pytest.mark.clause("BILL-02")
@pytest.mark.parametrize(
    "spoilt",
    [
        {"inn": "7707083894"},
        {"bic": "04452522"},
        {"account": "40702810938000012346"},
        {"correspondent_account": "30101810400000000226"},
        {"bic": None},
        {"kpp": "77"},
    ],
)
async def test_a_payer_with_a_mistyped_number_is_refused(
    till: Till, payer: dict[str, Any], spoilt: dict[str, Any]
) -> None:
    async with till.manager() as http:
        response = await http.post("/payers", json=payer | spoilt)
    assert response.status_code == 422
    assert response.json()["type"].endswith(":invalid")


async def test_a_payer_is_changed_only_by_who_has_seen_it(till: Till, payer: dict[str, Any]) -> None:
    async with till.manager() as http:
        known = (await http.post("/payers", json=payer)).json()
        path = f"/payers/{known['id']}"
        assert (await http.patch(path, json={"name": "Новое имя"})).status_code == 428
        changed = await http.patch(path, json={"name": "Новое имя"}, headers={"If-Match": '"1"'})
        assert (changed.status_code, changed.json()["name"]) == (200, "Новое имя")
        assert (await http.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'})).status_code == 412


async def test_a_paid_order_needs_no_invoice(till: Till) -> None:
    order = await till.placed("100.00")
    await till.pay("100.00", order_id=order.order_id)
    async with till.manager() as http:
        body = {"client_id": str(till.client_id), "order_id": str(order.order_id)}
        response = await http.post("/invoices", json=body)
    assert (response.status_code, response.json()["type"]) == (409, "urn:reglament:problem:nothing-to-pay")


async def test_numbers_of_invoices_grow_per_office(till: Till) -> None:
    numbers = [(await invoice(till, amount="10.00"))["number"] for _ in range(3)]
    assert [number.split("-")[0] for number in numbers] == ["1", "2", "3"]


@pytest.mark.clause("BILL-03")
async def test_a_statement_pays_the_invoice_named_in_the_purpose(till: Till) -> None:
    order = await till.placed("1500.00")
    issued = await invoice(till, order_id=str(order.order_id))
    purpose = f"Оплата по счету № {issued['number']} от 20.11.2026. В том числе НДС 22 % 270-49"
    file = statement(
        transfer("1500.00", purpose),
        transfer("99.00", "наш собственный платёж", ПолучательСчет="40702810900000000002"),
    )
    answer = await upload(till, file)
    assert answer.json() == {"matched": 1, "unmatched": 0, "repeated": 0}
    [paid] = await till.billing.published(InvoicePaid, order_id=order.order_id)
    assert str(paid.invoice_id) == issued["id"]
    assert len(await till.billing.published(OrderPaid, order_id=order.order_id)) == 1
    again = await upload(till, file)
    assert again.json() == {"matched": 0, "unmatched": 0, "repeated": 1}
    assert await till.balance() == ("1500.00", "1500.00", "0.00")


async def test_a_partial_transfer_leaves_the_invoice_partly_paid(till: Till) -> None:
    issued = await invoice(till, amount="1000.00")
    await upload(till, statement(transfer("400.00", f"Оплата по счёту № {issued['number']}"), encoding="utf-8"))
    async with till.manager() as http:
        shown = (await http.get(f"/invoices/{issued['id']}")).json()
    assert (shown["paid"], shown["state_label"]) == ("400.00", "оплачен частично")


async def test_a_payer_known_to_one_client_is_recognised_without_a_number(till: Till, payer: dict[str, Any]) -> None:
    async with till.manager() as http:
        await http.post("/payers", json=payer)
    file = statement(transfer("250.00", "за запчасти", ПлательщикСчет=ACCOUNT))
    assert (await upload(till, file)).json()["matched"] == 1
    assert await till.balance() == ("250.00", "0.00", "250.00")


async def test_what_nobody_recognises_waits_and_is_assigned_once(till: Till) -> None:
    assert (await upload(till, statement(transfer("77.00", "за запчасти")))).json()["unmatched"] == 1
    async with till.manager() as http:
        [line] = (await http.get("/bank-statements/lines")).json()["items"]
        path = f"/bank-statements/lines/{line['id']}/client"
        body = {"client_id": str(till.client_id)}
        done = await http.put(path, json=body, headers={"If-Match": '"1"'})
        assert (done.status_code, done.json()["state"]) == (200, "matched")
        assert (await http.put(path, json=body, headers={"If-Match": '"2"'})).status_code == 409
    assert await till.balance() == ("77.00", "0.00", "77.00")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a statement",
        b"\x00\xff",
        statement(transfer("много", "за запчасти")),
        statement(transfer("-5", "за запчасти")),
        statement(transfer("NaN", "за запчасти")),
        statement(transfer("0.001", "за запчасти")),
        statement(transfer("1_0", "за запчасти")),
        statement(transfer("1e3", "за запчасти")),
        statement(transfer("10.00", "x", ДатаПоступило="31.02.2026")),
    ],
)
async def test_a_file_that_is_no_statement_is_refused_whole(till: Till, content: bytes) -> None:
    response = await upload(till, content)
    assert response.status_code == 422, response.text
    assert await till.balance() == ("0.00", "0.00", "0.00")


async def test_a_document_of_today_is_known_again_when_the_bank_says_when_its_money_came(till: Till) -> None:
    bill = await invoice(till, amount="10.00")
    purpose = f"Оплата по счету № {bill['number']}"
    early = transfer("10.00", purpose, ДатаПоступило="")
    for content, known in ((early, 0), (early | {"ДатаПоступило": "21.11.2026"}, 1)):
        assert (await upload(till, statement(content))).json()["repeated"] == known
    assert await till.balance() == ("10.00", "0.00", "10.00")


async def test_two_uploads_with_the_same_documents_wait_for_each_other(till: Till) -> None:
    """In the other order each would wait for what the other has written."""
    documents = [transfer("1.00", "за запчасти") for _ in range(30)]
    answers = await asyncio.gather(upload(till, statement(*documents)), upload(till, statement(*reversed(documents))))
    assert sorted(answer.json()["repeated"] for answer in answers) == [0, 30]


async def test_a_statement_with_endless_fields_is_taken_and_known_again(till: Till) -> None:
    endless = "".join(new_id().hex for _ in range(600))
    content = statement(transfer("10.00", endless, Номер=endless, ПлательщикСчет=endless, ПлательщикИНН=endless))
    first, second = await upload(till, content), await upload(till, content)
    assert first.json() == {"matched": 0, "unmatched": 1, "repeated": 0}, first.text
    assert second.json() == {"matched": 0, "unmatched": 0, "repeated": 1}


async def test_a_client_sees_and_orders_only_own_invoices(till: Till) -> None:
    issued = await invoice(till, amount="10.00")
    stranger = new_id()
    await till.register(stranger)
    async with till.client(stranger) as http:
        assert (await http.get(f"/invoices/{issued['id']}")).status_code == 404
        assert (await http.get(f"/invoices/{issued['id']}/document")).status_code == 404
        foreign = await http.post("/invoices", json={"client_id": str(till.client_id), "amount": "5.00"})
        assert foreign.status_code == 404
        own = await http.post("/invoices", json={"client_id": str(stranger), "amount": "5.00"})
        assert own.status_code == 201


@pytest.mark.clause("ORD-11")
async def test_a_contract_is_printed_for_an_order(till: Till) -> None:
    order = await till.placed("1000.00")
    async with till.manager() as http:
        made = await http.post("/contracts", json={"order_id": str(order.order_id)})
        assert made.status_code == 201, made.text
        pdf = await http.get(f"/documents/{made.json()['id']}/file")
    assert order.number in text_of(pdf.content)
