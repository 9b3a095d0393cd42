"""Documents with invented parties for the tests of printed documents; requisites have valid check digits."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from services.billing.domain.documents.data import (
    Bank,
    ContractDocument,
    InvoiceDocument,
    Line,
    Party,
    RefundApplicationDocument,
    Seller,
    WaybillDocument,
)

DAY = date(2026, 3, 16)

BANK = Bank(
    name="ПАО СБЕРБАНК, г. Екатеринбург",
    bic="046577674",
    account="40702810500000012345",
    correspondent_account="30101810500000000674",
)

BUYER = Party(
    name="ООО «Автосервис Уральский»",
    inn="6658123451",
    kpp="665801001",
    address="620014, Свердловская обл., г. Екатеринбург, ул. Радищева, д. 12, оф. 304",
    phone="+7 922 555-01-02",
)

PERSON = Party(name="Кузнецов Андрей Викторович", phone="+7 922 555-01-03")

LINES = (
    Line(
        article="13.0460-7213.2",
        brand="ATE",
        description="Колодки тормозные дисковые, передние",
        quantity=1,
        price=Decimal("4350.50"),
        amount=Decimal("4350.50"),
    ),
    Line(
        article="OC 90 OF",
        brand="MAHLE/KNECHT",
        description="Фильтр масляный",
        quantity=2,
        price=Decimal("412.00"),
        amount=Decimal("824.00"),
    ),
)


def seller(**changes: Any) -> Seller:
    return Seller(
        **{
            "name": "ООО «ПроДеталь Урал»",
            "inn": "6623029538",
            "kpp": "662301001",
            "address": "622036, Свердловская обл., г. Нижний Тагил, ул. Фестивальная, д. 5а",
            "phone": "+7 3435 55-01-01",
            "office_name": "ПроДеталь, Нижний Тагил",
            "office_address": "г. Нижний Тагил, ул. Фестивальная, 5а",
            "ogrn": "1069623031234",
            "email": "tagil@prodetal.example",
            "city": "Нижний Тагил",
            "director_name": "Иванов И. И.",
            "accountant_name": "Петрова А. С.",
            "bank": BANK,
            "vat_rate": 22,
            **changes,
        }
    )


def many_lines(count: int) -> list[Line]:
    """Return lines of every awkward kind: long names, long articles, no article, amounts in millions."""
    lines = []
    for number in range(1, count + 1):
        price = Decimal(137 * number * number) + Decimal("0.37")
        quantity = 1 + number % 4
        lines.append(
            Line(
                article=None
                if number % 11 == 0
                else f"{number:03d}-A{number * 7919}-{'XL-LONG-ARTICLE' * (number % 5 == 0)}",
                brand="ООО «Завод автокомпонентов»" if number % 6 == 0 else "BOSCH",
                description=(
                    "Комплект сцепления в сборе с выжимным подшипником, диском и корзиной для автомобилей "
                    "с механической коробкой передач"
                    if number % 7 == 0
                    else "Амортизатор подвески газомасляный"
                ),
                quantity=quantity,
                price=price,
                amount=price * quantity,
            )
        )
    return lines


def invoice(**changes: Any) -> InvoiceDocument:
    lines: Sequence[Line] = changes.pop("lines", LINES)
    return InvoiceDocument(
        **{
            "number": "42-2026",
            "day": DAY,
            "seller": seller(),
            "buyer": BUYER,
            "order_number": "1017",
            "lines": lines,
            "amount": sum((line.amount for line in lines), Decimal()),
            **changes,
        }
    )


def waybill(**changes: Any) -> WaybillDocument:
    return WaybillDocument(
        **{
            "number": "7-2026",
            "day": DAY,
            "seller": seller(),
            "buyer": PERSON,
            "order_numbers": ["1017", "1020"],
            "lines": LINES,
            **changes,
        }
    )


def refund_application(**changes: Any) -> RefundApplicationDocument:
    return RefundApplicationDocument(
        **{
            "number": "3-2026",
            "day": DAY,
            "seller": seller(),
            "applicant": PERSON,
            "order_number": "1017",
            "line": LINES[0],
            "refund": Decimal("4350.50"),
            "reason": "Деталь не подошла: другой диаметр тормозного диска",
            "keeps_goods": False,
            **changes,
        }
    )


def contract(**changes: Any) -> ContractDocument:
    return ContractDocument(
        **{
            "number": "1017",
            "day": DAY,
            "seller": seller(),
            "buyer": PERSON,
            "order_number": "1017",
            "vehicle": "Škoda Octavia, 2014, VIN XW8AN2NE3EH012345",
            "lines": LINES,
            **changes,
        }
    )
