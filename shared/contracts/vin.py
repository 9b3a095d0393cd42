"""Events of `vin`: requests by VIN or FRAME and their answers."""

from typing import Literal
from uuid import UUID

from shared.contracts.base import Event, Facts, InRoubles, Instant, Roubles
from shared.contracts.clients import Vehicle

Preference = Literal["minimum_price", "price_quality", "original_only"]
"""VIN-02: «Минимальная цена», «Цена/качество», «Только оригинал»."""


class RequestedPart(Facts):
    line_id: UUID
    text: str
    quantity: int


class Offer(Facts):
    """One line, one part (VIN-03)."""

    offer_id: UUID
    article: str
    brand: str
    description: str
    price: Roubles | None = None
    term_days: int | None = None
    comment: str | None = None
    original: bool = False
    """Made or sold by the car's own maker (VIN-02)."""


class AnsweredLine(Facts):
    """Offers, or a refusal with its reason (VIN-06), or a question (VIN-07)."""

    line_id: UUID
    text: str
    quantity: int
    offers: list[Offer]
    refusal_reason: str | None = None
    """The reason's Russian label."""
    refusal_comment: str | None = None
    """Addressed to the client; there is one whenever there is a reason."""
    question: str | None = None
    preference_note: str | None = None
    """Why the client's preference could not be honoured (VIN-02)."""


class VinRequestSubmitted(Event, type="vin.request.submitted.v1", subject="request_id"):
    """VIN-01; opens the clock of 2 working hours (VIN-05), the office gets a mail (NTF-01)."""

    office_id: UUID
    request_id: UUID
    number: str
    client_id: UUID
    vehicle: Vehicle
    preference: Preference
    parts: list[RequestedPart]
    submitted_at: Instant


class VinRequestAnswered(Event, InRoubles, type="vin.request.answered.v1", subject="request_id"):
    """VIN-04: the answer is in the cabinet; with `notify_client` it is doubled by e-mail.

    A corrected answer is published again with a higher `version`; it replaces the former one.
    """

    office_id: UUID
    request_id: UUID
    number: str
    client_id: UUID
    vehicle: Vehicle
    lines: list[AnsweredLine]
    answered_by: UUID
    """VIN-09: who chose the parts."""
    notify_client: bool
    answered_at: Instant
    answer_number: int = 1
    """2 and more for corrections."""
