from decimal import Decimal

from shared.contracts.vin import AnsweredLine, Offer, RequestedPart, VinRequestAnswered, VinRequestSubmitted
from tests.contracts.examples.story import (
    CAR,
    CLIENT,
    MANAGER,
    OFFER,
    OFFICE,
    REFUSED_LINE,
    REQUEST,
    REQUEST_LINE,
    at,
)

EXAMPLES = (
    VinRequestSubmitted(
        office_id=OFFICE,
        version=1,
        occurred_at=at(20),
        request_id=REQUEST,
        number="000001",
        client_id=CLIENT,
        vehicle=CAR,
        preference="original_only",
        parts=[
            RequestedPart(line_id=REQUEST_LINE, text="Колодки тормозные передние", quantity=1),
            RequestedPart(line_id=REFUSED_LINE, text="Значок на крышку багажника", quantity=1),
        ],
        submitted_at=at(20),
    ),
    VinRequestAnswered(
        office_id=OFFICE,
        version=4,
        occurred_at=at(60),
        request_id=REQUEST,
        number="000001",
        client_id=CLIENT,
        vehicle=CAR,
        lines=[
            AnsweredLine(
                line_id=REQUEST_LINE,
                text="Колодки тормозные передние",
                quantity=1,
                offers=[
                    Offer(
                        offer_id=OFFER,
                        article="GDB1550",
                        brand="TRW",
                        description="Колодки тормозные передние",
                        price=Decimal("1500.00"),
                        term_days=2,
                        comment="Рекомендуем Вам вместе с ними поменять диски",
                        original=False,
                    )
                ],
                preference_note="К сожалению, оригинал Вам придётся ждать месяц, предлагаем замену",
            ),
            AnsweredLine(
                line_id=REFUSED_LINE,
                text="Значок на крышку багажника",
                quantity=1,
                offers=[],
                refusal_reason="Снято с производства",
                refusal_comment="К сожалению, эта деталь снята с производства.",
            ),
        ],
        answered_by=MANAGER,
        notify_client=True,
        answered_at=at(60),
        answer_number=1,
    ),
)
