"""The edges of the answer's rules: the first number that counts, the words of each refusal, what an offer keeps."""

from dataclasses import replace
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
    Reason,
    check_complete,
    check_offers,
    check_preference_note,
    check_question,
    check_refusal,
)
from services.vin.domain.article import MAX_ARTICLE_LENGTH, NotAnArticle, SeveralArticles, check_article
from services.vin.domain.brand import NotAMaker, SeveralMakers, check_brand
from services.vin.domain.comment import (
    CommentNotAddressed,
    InvalidRefusalReason,
    check_comment,
    refuse_invalid_grounds,
)
from services.vin.domain.hidden_articles import hidden_articles, refuse_hidden_articles
from services.vin.domain.labels import PreferenceCode
from shared.base.errors import BusinessError

FRAME = "JZX100-1234567"
OFFER = OfferDraft("gdb1550", "TRW", "Колодки", Decimal("10.5"), 3, "Передние, с датчиком износа")


def checked(*offers: OfferDraft, preference: PreferenceCode = PreferenceCode.PRICE_QUALITY) -> list[OfferDraft]:
    return check_offers(offers, preference=preference, preference_note=None, vehicle_ids=[FRAME])


@pytest.mark.clause("VIN-03", "VIN-08")
def test_an_offer_is_stored_tidily_and_keeps_all_it_says() -> None:
    typed = replace(OFFER, article=" GDB  1550 ", brand=" TRW  Lucas ", comment=" Передние ")
    [stored] = checked(replace(typed, brand=" TRW "))
    assert stored == replace(OFFER, article="GDB 1550", brand="TRW", price=Decimal("10.50"), comment="Передние")
    assert str(stored.price) == "10.50"


@pytest.mark.clause("VIN-03")
def test_the_vehicle_s_own_number_may_stand_anywhere() -> None:
    text = f"Подходит Вам, номер {FRAME}"
    [stored] = checked(replace(OFFER, description=text, comment=text))
    assert (stored.description, stored.comment) == (text, text)
    assert check_preference_note(text, [FRAME]) == text
    assert check_refusal(Reason("Нет в наличии", True, "Т"), text, [FRAME]) == text
    refuse_hidden_articles(text, vehicle_ids=[FRAME])
    with pytest.raises(SeveralArticles, match=FRAME):
        refuse_hidden_articles(text)


@pytest.mark.clause("VIN-03")
def test_the_offer_s_own_article_may_stand_in_its_description() -> None:
    [stored] = checked(replace(OFFER, description="Колодки GDB1550", comment="Вам подойдут GDB1550"))
    assert stored.description == "Колодки GDB1550"
    with pytest.raises(SeveralArticles):
        checked(replace(OFFER, description="Колодки GDB1551"))


def test_the_same_part_twice_is_named() -> None:
    with pytest.raises(DuplicateOffer, match="TRW GDB 1550 указана в этой строке дважды"):
        checked(OFFER, replace(OFFER, article="GDB 1550"))


@pytest.mark.clause("VIN-02")
def test_for_the_minimum_price_free_comes_before_cheap_and_unpriced_last() -> None:
    prices = [None, Decimal("0.60"), Decimal(0), Decimal("0.50")]
    offers = [replace(OFFER, article=f"GDB155{number}", price=price) for number, price in enumerate(prices)]
    found = [offer.price for offer in checked(*offers, preference=PreferenceCode.MINIMUM_PRICE)]
    assert found == [Decimal(0), Decimal("0.50"), Decimal("0.60"), None]


SUBMITTED = datetime(2026, 3, 16, 9, 30, 20, 500, tzinfo=UTC)
MINUTE = SUBMITTED.replace(second=0, microsecond=0)
QUESTION = "На какую сторону нужна деталь?"


def ask(
    question: str = QUESTION,
    *,
    outcome: str | None = "no_answer",
    called_at: datetime = MINUTE,
    reached: datetime | None = None,
) -> str:
    attempt = None if outcome is None else Call(outcome, called_at)
    return check_question(
        question, attempt=attempt, last_conversation_at=reached, submitted_at=SUBMITTED, vehicle_ids=[FRAME]
    )


@pytest.mark.clause("VIN-07")
def test_a_question_may_be_asked_after_a_call_of_that_minute() -> None:
    assert ask() == QUESTION
    assert ask(reached=MINUTE) == QUESTION
    assert ask(f"Номер {FRAME} указан верно?") == f"Номер {FRAME} указан верно?"


@pytest.mark.clause("VIN-07")
def test_a_refused_question_says_which_call_is_missing() -> None:
    with pytest.raises(CallNotLogged, match="такого звонка этому клиенту нет"):
        ask(outcome=None)
    with pytest.raises(CallNotLogged, match="клиент ответил"):
        ask(outcome="reached")
    with pytest.raises(CallNotLogged, match="до запроса"):
        ask(called_at=MINUTE - timedelta(microseconds=1))
    with pytest.raises(CallNotLogged, match="клиент на связь вышел"):
        ask(reached=MINUTE + timedelta(seconds=1))
    with pytest.raises(CommentNotAddressed):
        ask("Сторона установки")


@pytest.mark.clause("VIN-06")
def test_a_reason_that_is_not_allowed_is_named_with_its_text() -> None:
    with pytest.raises(InvalidRefusalReason, match=r"«Аксессуар» — не причина для отказа. Подберите артикул"):
        check_refusal(Reason("Аксессуар", False, "Подберите артикул"), None, [])


def test_an_open_line_is_named_and_a_long_list_is_cut() -> None:
    with pytest.raises(AnswerIncomplete, match="нет ни одной строки") as empty:
        check_complete([])
    assert empty.value.members == {"open_lines": []}
    lines = [LineDraft(number, "т" * 61, answered=number == 1) for number in range(1, 8)]
    with pytest.raises(AnswerIncomplete) as error:
        check_complete(lines)
    names = "; ".join(f"{number}. {'т' * 60}" for number in range(2, 7))
    assert f"Без ответа строк: 6 ({names})." in error.value.detail
    assert error.value.members == {"open_lines": [2, 3, 4, 5, 6, 7]}


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(
    "article",
    [
        "RC12YC A10",  # A letter with two digits after a letter is the end of a plug's name.
        "RC12YC T10",
        "RC12Y A10",
        "OE207 T10",
        "12 34 12 35",
        "12 345 12 345 6",
        "12 345 12 3467",
        "E115H01 D208",
        "1 987 302 041 55555",  # Fifteen digits are one article.
        "333114/124",
        "9" * MAX_ARTICLE_LENGTH,
        "A1",
        "LM 11749 / LM 11710",
        "GDB1550+",
        "GDB1550*",
    ],
)
def test_at_the_edge_it_is_one_article(article: str) -> None:
    assert check_article(article, "TRW") == article


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(
    "text",
    [
        "RC12YC A101",
        "1 987 302 041 5555 55",
        "RC12Y1 A10",
        "RCYC12 D208",
        "1 987 302 1 987 303",
        "12 345 12 346",
        "123456 789012 1",
        "333114/123",
        "OC 90, OC 91",
        "GDB1550 123456",
        "GDB1550 - GDB1551",
        "OC90 - OC91",
        "12/OC90/OC91",
    ],
)
def test_beyond_the_edge_there_are_several_articles(text: str) -> None:
    with pytest.raises(SeveralArticles, match="одна строка — одна деталь"):
        check_article(text, "TRW")


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(
    ("text", "brand", "says"),
    [
        ("GDB", "TRW", "не похоже на артикул: нет обычных цифр"),
        ("GDB1550²", "TRW", "не похоже на артикул"),
        ("GDB1550 2 шт", "TRW", "вносится только номер детали"),
        ("GDB1550, передние", "TRW", "вносится только номер детали"),
        ("GDB1550!", "TRW", "вносится только номер детали"),
        ("TRW GDB1550", "TRW", "производитель указывается в своём поле"),
        ("GDB1550 TRW", "TRW", "производитель указывается в своём поле"),
        ("Filter W719", "Mann-Filter", "производитель указывается в своём поле"),
        ("-GDB1550", "TRW", "уберите лишние знаки"),
        ("GDB1550X-", "TRW", "уберите лишние знаки"),
        ("GDB1550#", "TRW", "уберите лишние знаки"),
        ("1", "TRW", "от 2 до 24 букв и цифр"),
        ("9" * 25, "TRW", "от 2 до 24 букв и цифр"),
        ("1" + "-" * 47 + "1", "TRW", "от 2 до 24 букв и цифр"),
    ],
)
def test_a_refused_article_is_told_why(text: str, brand: str, says: str) -> None:
    with pytest.raises(NotAnArticle, match=says):
        check_article(text, brand)


def test_the_longest_article_with_its_signs() -> None:
    longest = "1" + "-" * 46 + "1"
    assert len(longest) == 2 * MAX_ARTICLE_LENGTH
    assert check_article(longest, "TRW") == longest
    assert check_article("555", "555") == "555"
    assert check_article("TRW1550", "TRW1550") == "TRW1550"
    assert check_article("555 12", "555") == "555 12"
    assert check_article("3M 1234", "3M") == "3M 1234"


def test_a_maker_of_either_case_makes_letters_latin() -> None:
    for brand in ("TRW", "trw"):
        assert check_article("ОС 90", brand) == "OC 90"
    assert check_article("ОС 90", "ВАЗ") == "ОС 90"
    assert check_article("ос 90ж", "trw") == "ос 90ж"


def test_a_refusal_shows_sixty_letters_and_four_articles() -> None:
    with pytest.raises(SeveralArticles, match=r"^«A11», «A12», «A13», «A14»: одна"):
        check_article("A11, A12, A13, A14, A15", "TRW")
    for length, shown in ((60, "Q" * 60), (61, "Q" * 59 + "…")):
        with pytest.raises(NotAnArticle, match=f"^«{shown}» не похоже"):
            check_article("Q" * length, "TRW")


LONG = "Б" * 61


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(
    ("brand", "article", "error", "says"),
    [
        (
            "TRW/" + LONG,
            LONG,
            SeveralMakers,
            f"^«TRW/{'Б' * 56}»: укажите того производителя, чей артикул {'Б' * 60}.$",
        ),
        ("TRW Bosch", LONG, SeveralMakers, f"это разные производители, а артикул {'Б' * 60} выпускает один"),
        ("Bosch " * 11, "1", SeveralMakers, f"^«{('Bosch ' * 11)[:60]}»: это разные"),
        ("-" * 61, LONG, NotAMaker, f"^«{'-' * 60}»: нужно название того, кто выпускает артикул {'Б' * 60}.$"),
        ("gdb1550", "GDB1550", NotAMaker, "повторён артикул"),
    ],
)
def test_a_refused_maker_is_told_why(brand: str, article: str, error: type[BusinessError], says: str) -> None:
    with pytest.raises(error, match=says):
        check_brand(brand, article)


def test_two_names_of_one_maker_are_one() -> None:
    assert check_brand("Mahle Knecht", "OC90") == "Mahle Knecht"
    assert check_brand("Victor/Reinz", "1") == "Victor/Reinz"
    assert check_brand("Victor", "1") == "Victor"


@pytest.mark.clause("VIN-08")
@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("Нет!", "«Нет!» ничего не говорит клиенту"),
        (" - ок - ", "ничего не говорит клиенту"),
        ("— готово —", "ничего не говорит клиенту"),
        ("!" * 61, f"^«{'!' * 60}» ничего"),
        ("Перезвонить " + "о" * 50, f"^«Перезвонить {'о' * 48}» — заметка для себя"),
        ("о" * 61, f"^«{'о' * 60}» не обращено к клиенту"),
    ],
)
def test_a_refused_comment_is_quoted(comment: str, says: str) -> None:
    with pytest.raises(CommentNotAddressed, match=says):
        check_comment(comment, must_address=True)


@pytest.mark.clause("VIN-06")
def test_an_excuse_is_told_what_to_do_instead() -> None:
    with pytest.raises(InvalidRefusalReason, match="детали на обе стороны"):
        refuse_invalid_grounds("Вы не указали сторону")
    with pytest.raises(InvalidRefusalReason, match="подберите артикул"):
        refuse_invalid_grounds("Это аксессуар")


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("есть 1234567", ["1234567"]),
        ("есть 123456", []),
        ("есть GD1550", ["GD1550"]),
        ("есть GD155", []),
        ("есть ABC123", []),
        ("есть gd1550", []),
        ("есть 1A2 345 67", ["1A2 345 67"]),
        ("есть 1A2 345 6A", ["1A2 345 6A"]),
        ("есть 1A2 345 AB", []),
        ("мотор 1.6 и GDB1551", ["GDB1551"]),
        ("мотор GDB1551 GDB1552", ["GDB1551", "GDB1552"]),
        ("мотор GD1551", []),
        ("двигатель N52B30 или N54", []),
        ("двигатель 1.6 и GDB1551", ["GDB1551"]),
        ("двигатель GD1551", []),
        ("двигатель 1.6 и GDB1551 GDB1552", ["GDB1551", "GDB1552"]),
    ],
)
def test_a_number_is_an_article_from_this_length_on(comment: str, found: list[str]) -> None:
    assert hidden_articles(comment) == found


def test_a_hidden_article_is_quoted_in_sixty_signs() -> None:
    with pytest.raises(SeveralArticles, match=f"«{'1' * 60}»"):
        refuse_hidden_articles("1" * 61)
