"""Sample data of every template, for previews."""

from typing import Any

_COMMON: dict[str, Any] = {
    "office": {
        "name": "ПроДеталь-Мира 45",
        "city": "Нижний Тагил",
        "address": "пр. Мира, 45",
        "phones": ["+7 3435 00-00-00"],
        "email": "mira45@example.ru",
    },
    "client": {"full_name": "Петрова Мария Ивановна", "phone": "+7 912 000-00-00"},
    "zone": "Asia/Yekaterinburg",
    "public_url": "https://example.ru/",
}
_PART = {"brand": "TRW", "article": "GDB1550", "description": "Колодки тормозные передние"}
_MOMENT = "2026-11-23T10:42:00+05:00"
_LATER = "2026-11-23T12:42:00+05:00"


def _sample(**values: Any) -> dict[str, Any]:
    return {**_COMMON, **values}


SAMPLES: dict[str, dict[str, Any]] = {
    "email_confirmation": _sample(confirmation_url="https://example.ru/confirm?token=abc", expires_at=_LATER),
    "contacts_request": _sample(disable_at=_LATER),
    "information_letter": _sample(
        manager={"full_name": "Иванов Иван Иванович", "phone": "+7 3435 11-11-11", "email": "ivanov@example.ru"}
    ),
    "vin_request_office": _sample(
        number="VIN-000012",
        vehicle="Lada 2112 2004, VIN XTA21124070445066",
        preference="Цена/качество",
        parts=[{"text": "Колодки тормозные передние", "quantity": 1}, {"text": "Фильтр масляный", "quantity": 2}],
    ),
    "vin_answer": _sample(
        number="VIN-000012",
        corrected=False,
        vehicle="Lada 2112 2004, VIN XTA21124070445066",
        lines=[
            {
                "text": "Колодки тормозные передние",
                "quantity": 1,
                "offers": [
                    {**_PART, "price": "2450.00", "term_days": 3, "comment": None},
                    {
                        **_PART,
                        "brand": "Fenox",
                        "article": "BP43051",
                        "price": "1190.50",
                        "term_days": 1,
                        "comment": "есть в городе",
                    },
                ],
                "preference_note": None,
                "question": None,
                "refusal_reason": None,
                "refusal_comment": None,
            },
            {
                "text": "Ремень ГРМ",
                "quantity": 1,
                "offers": [],
                "preference_note": None,
                "question": None,
                "refusal_reason": "Снято с производства",
                "refusal_comment": "Эта деталь снята с производства, предлагаем Вам комплект с роликом.",
            },
        ],
    ),
    "check_result": _sample(
        number="З-000031",
        results=[
            {**_PART, "applicable": True, "comment": None},
            {
                "brand": "Mann",
                "article": "W 914/2",
                "description": "Фильтр масляный",
                "applicable": False,
                "comment": "Для вашего двигателя нужен фильтр W 712/75.",
            },
        ],
    ),
    "positions_removed": _sample(
        number="З-000031",
        positions=[{**_PART, "amount": "2450.00", "comment": "Заявка не актуальна, свяжитесь с менеджером"}],
    ),
    "position_refused": _sample(number="З-000031", positions=[{**_PART, "amount": "2450.00"}]),
    "refund": _sample(refunds=[{"amount": "2450.00", "reason": "поставщик отказал в поставке"}]),
    "claim_decision": _sample(
        number="Р-000004",
        part="TRW GDB1550, Колодки тормозные передние",
        decision="возврат принят",
        reason="Деталь не подошла к автомобилю.",
        refund_text="На ваш баланс возвращается 1\N{NO-BREAK SPACE}500\N{NO-BREAK SPACE}₽.",
        discount_text="",
    ),
    "order_ready": _sample(number="З-000031", complete=True, positions=[{**_PART, "quantity": 1}]),
    "purchase_order": _sample(
        number="ЗП-000007",
        again=False,
        lines=[{**_PART, "quantity": 2, "purchase_price": "1800.00"}],
        total="3600.00",
    ),
    "digest": _sample(
        recipient="Иванов Иван",
        lines=[
            {
                "kind": "срок нарушен",
                "late": True,
                "title": "Связаться с клиентом о неоплаченном заказе и узнать срок оплаты",
                "clause": "ORD-04",
                "about": "заказ З-0012",
                "due_at": _MOMENT,
            },
            {
                "kind": "скоро срок",
                "late": False,
                "title": "Ответить на VIN-запрос",
                "clause": "VIN-05",
                "about": "VIN-запрос VIN-000012",
                "due_at": _LATER,
            },
        ],
        late=1,
        soon=1,
        more=0,
    ),
    "escalation": _sample(
        kind="escalation",
        headline="Срок нарушен",
        recipient="Сидоров Сидор Сидорович",
        sentence="срок истёк, и дело дошло до вас («управляющий»).",
        duty="Связаться с клиентом о неоплаченном заказе и узнать срок оплаты",
        clause="ORD-04",
        about="заказ З-000031",
        client_line="Петрова Мария Ивановна, +7 912 000-00-00",
        responsible="Иванов Иван Иванович",
        opened_at=_MOMENT,
        due_at=_LATER,
        late="1 ч 12 мин",
        consequence="",
        closed_note="",
    ),
    "mail_answer": _sample(
        title="Есть ли колодки на Камри?",
        answer="Здравствуйте! Колодки есть в наличии, 2 450 рублей.",
        manager="Иванов Иван Иванович",
    ),
    "sms_limit": _sample(recipient="Главный Глеб Глебович", limit=1000, at=_MOMENT),
}

SMS_SAMPLES: dict[str, dict[str, Any]] = {
    "order_ready_sms": _sample(number="З-000031", complete=True),
    "escalation_sms": SAMPLES["escalation"],
    "digest_sms": SAMPLES["digest"],
}
