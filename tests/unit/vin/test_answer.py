"""What a line may be answered with (K17, VIN-02, VIN-06, VIN-07)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.vin.domain.answer import (
    AnswerIncomplete,
    Call,
    CallNotLogged,
    DuplicateOffer,
    LineDraft,
    OfferDraft,
    PreferenceNotHonoured,
    Reason,
    check_complete,
    check_offers,
    check_preference_note,
    check_question,
    check_refusal,
)
from services.vin.domain.article import NotAnArticle, SeveralArticles
from services.vin.domain.comment import CommentNotAddressed, InvalidRefusalReason
from services.vin.domain.labels import PreferenceCode

SUBMITTED = datetime(2026, 3, 2, 9, 30, 45, tzinfo=UTC)
ORIGINAL = OfferDraft("06A 115 561 B", "VAG", "Фильтр масляный", price=Decimal("900"), original=True)
CHEAP = OfferDraft("OC 90", "Knecht", "Фильтр масляный", price=Decimal("250.50"))
UNPRICED = OfferDraft("W 719/30", "Mann-Filter", "Фильтр масляный")
QUESTION = "Подскажите, пожалуйста, объём двигателя Вашего автомобиля"


def checked(
    *offers: OfferDraft, preference: PreferenceCode = PreferenceCode.PRICE_QUALITY, note: str | None = None
) -> list[str]:
    found = check_offers(offers, preference=preference, preference_note=note, vehicle_ids=["XTA21124070445066"])
    return [offer.article for offer in found]


def test_the_manager_s_order_is_kept_for_price_and_quality() -> None:
    assert checked(ORIGINAL, UNPRICED, CHEAP) == ["06A 115 561 B", "W 719/30", "OC 90"]


@pytest.mark.clause("VIN-02")
def test_the_cheapest_offer_comes_first_when_the_client_wants_the_minimum_price() -> None:
    offers = UNPRICED, ORIGINAL, CHEAP
    assert checked(*offers, preference=PreferenceCode.MINIMUM_PRICE) == ["OC 90", "06A 115 561 B", "W 719/30"]


@pytest.mark.clause("VIN-02")
def test_only_originals_are_offered_to_a_client_who_wants_originals() -> None:
    assert checked(ORIGINAL, preference=PreferenceCode.ORIGINAL_ONLY) == ["06A 115 561 B"]
    with pytest.raises(PreferenceNotHonoured, match="Knecht OC 90 — не оригинал"):
        checked(ORIGINAL, CHEAP, preference=PreferenceCode.ORIGINAL_ONLY)


@pytest.mark.clause("VIN-02")
def test_a_substitute_for_an_original_is_explained_to_the_client() -> None:
    note = "К сожалению, оригинал снят с производства, предлагаем Вам замену"
    assert checked(CHEAP, preference=PreferenceCode.ORIGINAL_ONLY, note=note) == ["OC 90"]
    assert check_preference_note(note, []) == note
    with pytest.raises(CommentNotAddressed):
        check_preference_note("оригинала нет", [])


def test_the_same_part_is_not_offered_twice_in_one_line() -> None:
    with pytest.raises(DuplicateOffer):
        checked(CHEAP, OfferDraft("OC90", "KNECHT", "Фильтр"))
    assert checked(CHEAP, OfferDraft("OC90", "Mahle", "Фильтр")) == ["OC 90", "OC90"]


@pytest.mark.parametrize(
    ("offer", "error"),
    [
        (OfferDraft("OC 90, OC 91", "Knecht", "Фильтр"), SeveralArticles),
        (OfferDraft("OC 90", "Knecht", "Фильтр", comment="есть аналог W 719/30"), SeveralArticles),
        (OfferDraft("OC 90", "Knecht", "Фильтр масляный, также GDB1550"), SeveralArticles),
        (OfferDraft("уточнить", "Knecht", "Фильтр"), NotAnArticle),
        (OfferDraft("OC 90", "Knecht", "Фильтр", comment="Вопрос решен по телефону"), CommentNotAddressed),
    ],
)
def test_an_offer_with_a_mistake_is_refused(offer: OfferDraft, error: type[Exception]) -> None:
    with pytest.raises(error):
        checked(offer)


def test_an_offer_s_own_article_may_stand_in_its_description_and_comment() -> None:
    offer = OfferDraft("GDB1550", "TRW", "Колодки GDB 1550", comment="GDB1550 подходит к Вашему XTA21124070445066")
    assert checked(offer) == ["GDB1550"]


REASON = Reason("Снято с производства", True, "К сожалению, эта деталь снята с производства.")


def test_a_refusal_without_words_has_the_reason_s_own() -> None:
    assert check_refusal(REASON, None, []) == REASON.text


@pytest.mark.clause("VIN-08")
def test_a_refusal_in_words_addresses_the_client() -> None:
    comment = "К сожалению, такую деталь Вам никто не привезёт"
    assert check_refusal(REASON, comment, []) == comment
    with pytest.raises(CommentNotAddressed):
        check_refusal(REASON, "Снято с производства", [])


@pytest.mark.clause("VIN-06")
@pytest.mark.parametrize(
    ("reason", "comment", "error"),
    [
        (Reason("Клиент не указал сторону", False, "Предложите обе."), None, InvalidRefusalReason),
        (REASON, "К сожалению, Вы не указали сторону", InvalidRefusalReason),
        (REASON, "К сожалению, это аксессуар", InvalidRefusalReason),
        (REASON, "Предлагаем Вам взять GDB1551", SeveralArticles),
    ],
)
def test_an_excuse_is_no_refusal(reason: Reason, comment: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_refusal(reason, comment, [])


def asked(attempt: Call | None, last_conversation_at: datetime | None = None) -> str:
    return check_question(
        QUESTION,
        attempt=attempt,
        last_conversation_at=last_conversation_at,
        submitted_at=SUBMITTED,
        vehicle_ids=[],
    )


def test_a_question_follows_an_unanswered_call() -> None:
    assert asked(Call("no_answer", SUBMITTED + timedelta(minutes=5))) == QUESTION


def test_a_call_of_the_same_minute_counts_for_people_enter_whole_minutes() -> None:
    assert asked(Call("no_answer", SUBMITTED.replace(second=0))) == QUESTION


def test_a_conversation_before_the_attempt_does_not_matter() -> None:
    assert asked(Call("no_answer", SUBMITTED + timedelta(minutes=5)), SUBMITTED + timedelta(minutes=1)) == QUESTION


@pytest.mark.clause("VIN-07")
@pytest.mark.parametrize(
    ("attempt", "last_conversation_at"),
    [
        (None, None),
        (Call("reached", SUBMITTED + timedelta(minutes=5)), None),
        (Call("cannot_talk", SUBMITTED + timedelta(minutes=5)), None),
        (Call("no_answer", SUBMITTED - timedelta(minutes=5)), None),
        (Call("no_answer", SUBMITTED + timedelta(minutes=5)), SUBMITTED + timedelta(minutes=6)),
    ],
)
def test_a_question_without_an_unanswered_call_is_refused(
    attempt: Call | None, last_conversation_at: datetime | None
) -> None:
    with pytest.raises(CallNotLogged):
        asked(attempt, last_conversation_at)


@pytest.mark.clause("K17")
def test_every_line_is_answered_before_the_answer_is_given() -> None:
    check_complete([LineDraft(1, "Колодки", True), LineDraft(2, "Диски", True)])
    with pytest.raises(AnswerIncomplete, match=r"2\. Диски") as refusal:
        check_complete([LineDraft(1, "Колодки", True), LineDraft(2, "Диски", False)])
    assert refusal.value.members == {"open_lines": [2]}
    with pytest.raises(AnswerIncomplete):
        check_complete([])
