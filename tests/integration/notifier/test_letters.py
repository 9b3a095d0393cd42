"""Letters about events: from the event to the mailbox and the cabinet."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import python_calamine
from sqlalchemy import func, select

from services.notifier.delivery.models.notices import Notice
from shared.base.clock import now
from shared.contracts import billing, clients, orders, vin
from shared.persistence.database import new_id
from simulators.mailbox.store import Mail
from tests.integration.notifier.conftest import World
from tests.support.notifier import PART, line


async def letter(world: World, to: str, subject: str = "") -> Mail:
    (mail,) = await world.mailbox.wait_for(to=world.mail_of(to), subject=subject)
    assert mail.text is not None and mail.html is not None
    return mail


async def letters_to_the_client(world: World) -> int:
    """Written with the event that asks for them, so nothing has to be waited for."""
    async with world.notifier.session() as session:
        count = select(func.count()).select_from(Notice).where(Notice.client_id == world.client_id)
        return (await session.execute(count)).scalar_one()


async def cabinet(world: World) -> list[dict[str, Any]]:
    async with world.client_http() as http:
        answer = await http.get("/cabinet/messages")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.clause("CL-07", "NTF-02")
async def test_registration_is_confirmed_by_a_link(world: World) -> None:
    """CL-07.  The link goes out even when the card has not arrived yet."""
    await world.open_office()
    event = clients.EmailConfirmationRequested(
        **world.event(),
        client_id=world.client_id,
        full_name="Петрова Мария Ивановна",
        email=world.mail_of("client"),
        confirmation_url="https://example.ru/confirm?token=abc&x=1",
        expires_at=now() + timedelta(hours=1),
    )
    await world.notifier.deliver(event)
    mail = await letter(world, "client")
    assert mail.subject == "Подтвердите адрес электронной почты"
    assert "https://example.ru/confirm?token=abc&x=1" in (mail.text or "")
    assert 'href="https://example.ru/confirm?token=abc&amp;x=1"' in (mail.html or "")


async def test_a_fabricated_phone_is_asked_for_by_mail_with_the_date_of_disabling(world: World) -> None:
    """CL-06."""
    await world.open_office()
    await world.register()
    event = clients.ContactsRequested(
        **world.event(),
        client_id=world.client_id,
        full_name="Петрова Мария Ивановна",
        email=world.mail_of("client"),
        disable_at=now() + timedelta(days=3),
    )
    await world.notifier.deliver(event)
    mail = await letter(world, "client")
    assert "учётная запись будет отключена" in (mail.text or "")


@pytest.mark.clause("CALL-02", "LET-01")
async def test_the_information_letter_follows_the_first_attempt_only(world: World) -> None:
    """LET-01, CALL-02: reached or not."""
    await world.with_people()
    await world.register()
    await world.call("first_call", outcome="no_answer", first_attempt=True)
    mail = await letter(world, "client")
    assert mail.subject == "ПРОДЕТАЛЬ-МИРА 45 ИНСТРУКЦИИ"
    assert "Здравствуйте, Мария Ивановна!" in (mail.text or "")
    assert "Ваш менеджер: Ivanov manager" in (mail.text or "")
    await world.call("first_call")
    await world.call("second_call")
    assert await letters_to_the_client(world) == 1


@pytest.mark.clause("NTF-01", "VIN-01", "VIN-04")
async def test_a_vin_request_reaches_the_offices_mailbox_and_its_answer_the_client(world: World) -> None:
    """NTF-01, VIN-04."""
    await world.with_people()
    await world.register()
    request = world.vin_request(new_id())
    await world.notifier.deliver(request)
    mail = await letter(world, "office", "VIN-000012")
    for expected in ("XTA21124070445066", "Цена/качество", "Колодки передние — 2 шт.", "Петрова Мария Ивановна"):
        assert expected in (mail.text or "")
    line = request.parts[0]
    offer = vin.Offer(offer_id=new_id(), **PART, price=Decimal("2450.00"), term_days=3)
    answer = vin.VinRequestAnswered(
        **world.event(),
        request_id=request.request_id,
        number=request.number,
        client_id=world.client_id,
        vehicle=request.vehicle,
        lines=[
            vin.AnsweredLine(line_id=line.line_id, text=line.text, quantity=2, offers=[offer]),
            vin.AnsweredLine(
                line_id=new_id(),
                text="Ремень ГРМ",
                quantity=1,
                offers=[],
                refusal_reason="Снято с производства",
                refusal_comment="Эта деталь снята с производства, предлагаем Вам комплект.",
            ),
        ],
        answered_by=new_id(),
        notify_client=True,
        answered_at=now(),
    )
    await world.notifier.deliver(answer)
    mail = await letter(world, "client")
    (message,) = await cabinet(world)
    for text in (mail.text or "", message["text"]):
        assert "TRW GDB1550 — Колодки тормозные передние, 2\N{NO-BREAK SPACE}450\N{NO-BREAK SPACE}₽, срок 3 дня" in text
        assert "Эта деталь снята с производства, предлагаем Вам комплект." in text
    assert message["subject_kind"] == "vin_request"


@pytest.mark.clause("VIN-04")
async def test_an_answer_without_the_tick_stays_in_the_cabinet(world: World) -> None:
    await world.with_people()
    await world.register()
    request = world.vin_request(new_id())
    answer = vin.VinRequestAnswered(
        **world.event(),
        request_id=request.request_id,
        number=request.number,
        client_id=world.client_id,
        vehicle=request.vehicle,
        lines=[],
        answered_by=new_id(),
        notify_client=False,
        answered_at=now(),
    )
    await world.notifier.deliver(answer)
    assert len(await cabinet(world)) == 1
    assert await letters_to_the_client(world) == 0


@pytest.mark.clause("ORD-06")
async def test_the_check_is_reported_position_by_position(world: World) -> None:
    """ORD-06."""
    await world.open_office()
    await world.register()
    await world.notifier.deliver(world.checked(new_id()))
    mail = await letter(world, "client")
    assert "TRW GDB1550, Колодки тормозные передние — НЕ ПОДХОДИТ. Нужны колодки GDB1551." in (mail.text or "")


def removed(world: World, order_id: Any, article: str) -> orders.PositionRemoved:
    return orders.PositionRemoved(
        **world.event(),
        order_id=order_id,
        order_number="З-000031",
        position_id=new_id(),
        client_id=world.client_id,
        article=article,
        brand="TRW",
        description="Колодки",
        amount=Decimal("100.00"),
        reason_code="not_actual",
        comment="Заявка не актуальна, свяжитесь с менеджером",
        automatic=True,
    )


async def test_an_order_of_three_positions_is_removed_with_one_letter(world: World) -> None:
    """ORD-07, ORD-08."""
    await world.open_office()
    await world.register()
    order = new_id()
    for article in ("A1", "A2", "A3"):
        await world.notifier.deliver(removed(world, order, article))
    mail = await letter(world, "client")
    (message,) = await cabinet(world)
    for text in (mail.text or "", message["text"]):
        assert all(f"TRW {article}" in text for article in ("A1", "A2", "A3"))
        assert text.count("Заявка не актуальна, свяжитесь с менеджером") == 1
    assert mail.subject == "Заказ З-000031: позиции сняты"
    await world.notifier.deliver(removed(world, order, "A4"))
    later = await world.mailbox.wait_for(to=world.mail_of("client"), count=2)
    assert "TRW A4" in (later[0].text or "") and "TRW A1" not in (later[0].text or "")


async def test_a_final_refusal_and_the_refund_are_reported_and_an_open_one_is_not(world: World) -> None:
    """BILL-03, ORD-13."""
    await world.open_office()
    await world.register()
    body = {
        "order_id": new_id(),
        "order_number": "З-000031",
        "position_id": new_id(),
        "client_id": world.client_id,
        "supplier_id": new_id(),
        **PART,
        "amount": "1500.00",
        "reason": "нет на складе",
    }
    await world.notifier.deliver(orders.PositionRefused.model_validate({**world.event(), **body, "final": False}))
    assert await cabinet(world) == []
    await world.notifier.deliver(orders.PositionRefused.model_validate({**world.event(), **body, "final": True}))
    refund = {name: body[name] for name in ("order_id", "position_id", "client_id", "amount")}
    await world.notifier.deliver(billing.RefundMade.model_validate({**world.event(), **refund, "reason": "refused"}))
    assert "поставщик не может поставить" in ((await letter(world, "client", "отказал")).text or "")
    text = (await letter(world, "client", "Деньги возвращены")).text or ""
    assert "1\N{NO-BREAK SPACE}500\N{NO-BREAK SPACE}₽ — поставщик отказал в поставке" in text


async def test_a_decided_claim_is_reported_with_the_money_and_the_discount(world: World) -> None:
    await world.open_office()
    await world.register()
    body = {
        "claim_id": new_id(),
        "number": "Р-000004",
        "order_id": new_id(),
        "position_id": new_id(),
        "client_id": world.client_id,
        **PART,
        "quantity": 1,
        "decision": "accepted",
        "reason": "Деталь не подошла.",
        "refund": "1500.00",
        "next_discount_percent": 5,
        "discount_scope": "next_order",
        "decided_by": new_id(),
        "decided_at": now(),
    }
    await world.notifier.deliver(orders.ClaimDecided.model_validate({**world.event(), **body}))
    text = (await letter(world, "client")).text or ""
    assert "возврат принят" in text and "Скидка 5 % на следующий заказ." in text
    assert "На ваш баланс возвращается 1\N{NO-BREAK SPACE}500\N{NO-BREAK SPACE}₽." in text


def sent_order(world: World, *lines: orders.PurchaseOrderLine, **changes: Any) -> orders.PurchaseOrderSent:
    body = {
        "purchase_order_id": new_id(),
        "number": "ЗП-000007",
        "supplier_id": new_id(),
        "supplier_name": "ООО «Поставка»",
        "supplier_email": world.mail_of("supplier"),
        "lines": list(lines),
        "total": sum(line.purchase_price * line.quantity for line in lines),
        **changes,
    }
    return orders.PurchaseOrderSent.model_validate({**world.event(), **body})


async def test_a_purchase_order_goes_to_the_supplier_with_a_spreadsheet(world: World) -> None:
    await world.open_office()
    event = sent_order(world, line(), line(article="=1+1", brand="@SUM", description="-2+3", quantity=1))
    await world.notifier.deliver(event)
    mail = await letter(world, "supplier")
    assert mail.subject == "Заказ ЗП-000007 от «ПроДеталь-Мира 45»"
    (table,) = mail.attachments
    assert table.name == "zakaz-ЗП-000007.xlsx"
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(table.content)).get_sheet_by_index(0).to_python()
    assert rows[2] == ["№", "Производитель", "Артикул", "Описание", "Количество", "Цена, ₽", "Сумма, ₽"]
    assert rows[3] == [1.0, "TRW", "GDB1550", "Колодки тормозные передние", 2.0, 1800.5, 3601.0]
    assert rows[4][1:4] == ["'@SUM", "'=1+1", "'-2+3"]
    assert rows[5][5:] == ["Итого", 5401.5]
    async with world.staff_http() as http:
        found = (await http.get("/notices")).json()["items"]
        (notice,) = [item for item in found if item["template"] == "purchase_order"]
        file = await http.get(f"/notices/{notice['id']}/attachments/{table.name}")
    assert file.status_code == 200 and file.content == table.content


async def test_a_copy_of_a_purchase_order_says_that_it_is_one(world: World) -> None:
    await world.open_office()
    await world.notifier.deliver(sent_order(world, line(), sending=2))
    mail = await letter(world, "supplier", "Повторно")
    assert "второй раз поставлять ничего не нужно" in (mail.text or "")
