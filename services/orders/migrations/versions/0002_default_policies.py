"""The regulations' figures, in force from the beginning; head office adds versions, this one stays."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

PREPAYMENT = {"exempt_categories": ["opt5", "opt6", "opt7", "opt8", "opt9", "opt10"]}

REMOVAL = {
    "reasons": [
        {
            "code": "not_paid",
            "label": "Не поступила предоплата",
            "text": "По Вашему заказу не поступила предоплата, поэтому позиция снята.",
            "samples": ["не поступила предоплата"],
        },
        {
            "code": "not_applicable",
            "label": "Деталь не применима",
            "text": "Деталь не применима к Вашему автомобилю, поэтому позиция снята.",
            "samples": ["деталь не применима к вашему автомобилю"],
        },
        {
            "code": "client_request",
            "label": "По просьбе клиента",
            "text": "Позиция снята по Вашей просьбе.",
        },
        {
            "code": "not_supplied",
            "label": "Деталь не поставляется",
            "text": "К сожалению, эту деталь сейчас не поставляют. Свяжитесь с менеджером, мы подберём Вам замену.",
        },
        {
            "code": "price_changed",
            "label": "Изменилась цена или срок",
            "text": "Цена или срок поставки изменились. Свяжитесь с менеджером, мы предложим Вам другие условия.",
        },
        {
            "code": "discussed",
            "label": "Обсудили с клиентом",
            "text": "Данный заказ мы обсудили с Вами по телефону.",
        },
        {
            "code": "outdated",
            "label": "Заявка не актуальна",
            "text": "Заявка не актуальна, свяжитесь с менеджером",
            "automatic": True,
        },
    ]
}

INQUIRIES = {
    "marks": {"vip_over": "90000", "bad_under": "2000"},
    "lost_reasons": [
        {"code": "high_price", "label": "Высокая цена"},
        {"code": "long_delivery", "label": "Долгая поставка"},
        {"code": "prepayment", "label": "Не готов к предоплате"},
        {"code": "out_of_stock", "label": "Нет в наличии"},
        {"code": "discontinued", "label": "Снято с производства"},
        {"code": "bought_elsewhere", "label": "Купил в другом месте"},
        {"code": "no_answer", "label": "Не отвечает"},
        {"code": "only_asked", "label": "Только узнавал"},
        {"code": "other", "label": "Другое"},
    ],
    "payment_check_days": 2,
}


def _percent(at_least: int, at_most: int) -> dict[str, int]:
    return {"at_least": at_least, "at_most": at_most}


RETURNS = {
    "bands": [
        {
            "clause": "RET-02",
            "over": "0",
            "upto": "500",
            "kinds": [],
            "decides": "manager",
            "application": "simple",
        },
        {
            "clause": "RET-03",
            "over": "500",
            "upto": "2000",
            "kinds": ["consumable", "body", "individual"],
            "discount": _percent(20, 25),
            "later": {"percent": _percent(5, 5), "scope": "next_order"},
            "decides": "manager",
            "application": "simple",
        },
        {
            "clause": "RET-04",
            "over": "2000",
            "upto": "5000",
            "kinds": ["consumable", "individual", "rare"],
            "discount": _percent(25, 40),
            "price": "purchase",
            "later": {"percent": _percent(10, 15), "scope": "all_orders"},
            "decides": "manager",
            "application": "detailed",
        },
        {
            "clause": "RET-05",
            "over": "5000",
            "upto": "15000",
            "kinds": ["consumable", "individual", "rare"],
            "discount": _percent(40, 50),
            "price": "below_purchase",
            "price_agreed_by_director": True,
            "later": {"percent": _percent(15, 20), "scope": "all_orders"},
            "decides": "director",
            "application": "detailed",
        },
        {
            "clause": "RET-06",
            "over": "15000",
            "upto": None,
            "kinds": ["consumable", "body", "individual", "rare", "other"],
            "price": "below_purchase",
            "price_agreed_by_director": True,
            "commission": True,
            "later": {"percent": _percent(20, 20), "scope": "all_orders"},
            "decides": "director",
            "application": "detailed",
        },
    ],
    "rights": {
        "consumer_kinds": ["online", "offline_retail"],
        "distance_kinds": ["online"],
        "distance_days": 7,
        "exchange_days": 14,
    },
}

STATISTICS = {"days": 365}


def upgrade() -> None:
    policy = sa.table(
        "policy",
        sa.column("code", sa.String),
        sa.column("effective_from", sa.DateTime(timezone=True)),
        sa.column("data", JSONB),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    defaults = {
        "prepayment": PREPAYMENT,
        "removal": REMOVAL,
        "inquiries": INQUIRIES,
        "returns": RETURNS,
        "statistics": STATISTICS,
    }
    op.bulk_insert(
        policy,
        [
            {
                "code": code,
                "effective_from": BEGINNING,
                "data": data,
                "created_at": BEGINNING,
            }
            for code, data in defaults.items()
        ],
    )
