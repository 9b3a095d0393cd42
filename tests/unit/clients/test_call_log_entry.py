"""The line of the call log, the labels of a card and the first texts of head office."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.clients.defaults import first_contents, first_policy
from services.clients.domain.call_log import (
    GOAL_LABELS,
    OUTCOME_LABELS,
    RATING_LABELS,
    RULE_GOALS,
    entry,
    goal_of_rule,
)
from services.clients.domain.content import OBJECTIONS, SCRIPTS, ContentCode, fill
from services.clients.domain.labels import Category, DisabledReason
from services.clients.domain.names import given_name, initials
from shared.contracts.clients import CallOutcome

BODIES = {ContentCode(text["code"]): text["body"] for text in first_contents()}
TAGIL = ZoneInfo("Asia/Yekaterinburg")
EVENING = datetime(2026, 3, 14, 13, 45, tzinfo=UTC)


@pytest.mark.clause("CL-11")
def test_an_entry_has_time_rating_comment_and_initials() -> None:
    line = entry(
        called_at=EVENING,
        zone=TAGIL,
        outcome="reached",
        rating=5,
        comment="Сайт удобный, до сих пор брал детали на рынке; закажет к выходным",
        caller="Андреева Мария",
    )
    assert line == (
        "18:45, 14.03.26. Оценка 5. Сайт удобный, до сих пор брал детали на рынке; закажет к выходным. М.А."
    )


@pytest.mark.clause("CL-11")
@pytest.mark.parametrize(
    ("outcome", "rating", "comment", "line"),
    [
        ("no_answer", None, "", "18:45, 14.03.26. Не берёт трубку. М.А."),
        (
            "cannot_talk",
            None,
            "Просил после шести!",
            "18:45, 14.03.26. Не может сейчас разговаривать. Просил после шести! М.А.",
        ),
        ("reached", None, "Оплатит завтра.", "18:45, 14.03.26. Оплатит завтра. М.А."),
        ("reached", 3, "", "18:45, 14.03.26. Оценка 3. М.А."),
    ],
)
def test_an_entry_says_what_happened(outcome: CallOutcome, rating: int | None, comment: str, line: str) -> None:
    assert (
        entry(called_at=EVENING, zone=TAGIL, outcome=outcome, rating=rating, comment=comment, caller="Андреева Мария")
        == line
    )


@pytest.mark.clause("CL-11")
@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Петрова Мария Алексеевна", "М.А."),
        ("Андреева Мария", "М.А."),
        ("мария", "М."),
        ("Алиев Вагиф Самед оглы", "В.С."),
        ("", ""),
    ],
)
def test_initials_are_those_of_name_and_patronymic(name: str, letters: str) -> None:
    assert initials(name) == letters


@pytest.mark.parametrize(("name", "given"), [("Иванов Иван Иванович", "Иван"), ("Иван", "Иван"), (" ", "")])
def test_a_caller_introduces_themselves_by_the_given_name(name: str, given: str) -> None:
    assert given_name(name) == given


def test_rules_about_calls_have_goals_and_others_have_none() -> None:
    assert goal_of_rule("CALL-01", "CALL-01") == "first_call"
    assert goal_of_rule("CALL-01-OFFICE", "CALL-01") == "first_call"
    assert goal_of_rule("ORD-04", "ORD-04") == "order_contact"
    assert goal_of_rule("ORD-07", "ORD-07") is None
    assert set(RULE_GOALS.values()) <= set(GOAL_LABELS)


@pytest.mark.clause("CL-01", "CL-12")
def test_everything_that_staff_see_has_russian_words() -> None:
    assert set(RATING_LABELS) == {1, 2, 3, 4, 5}
    assert set(OUTCOME_LABELS) == {"reached", "no_answer", "cannot_talk", "wrong_number"}
    assert [Category(code).label for code in ("retail", "internet", "opt5", "opt10")] == [
        "Розница",
        "Интернет",
        "ОПТ5",
        "ОПТ10",
    ]
    assert all(reason.label for reason in DisabledReason)


@pytest.mark.clause("K11")
def test_every_text_has_a_first_wording_and_every_goal_a_script() -> None:
    assert {text["code"] for text in first_contents()} == {code.value for code in ContentCode}
    assert set(SCRIPTS) == set(GOAL_LABELS) - {"other"}


def spoken(code: ContentCode) -> str:
    """The part of a script that is read aloud."""
    return BODIES[code].partition("Заметка менеджеру")[0]


def test_the_first_call_is_read_calmly_in_about_40_seconds() -> None:
    words = re.findall(r"[\w$-]+", spoken(ContentCode.SCRIPT_FIRST_CALL))
    assert 80 <= len(words) <= 100, "calm speech is 2 to 2.5 words a second"


@pytest.mark.parametrize("code", SCRIPTS.values())
def test_a_script_introduces_the_caller_and_the_shop_and_has_notes_that_are_not_read(code: ContentCode) -> None:
    assert {"$manager", "$office"} == set(re.findall(r"\$\w+", spoken(code)))
    assert "Заметка менеджеру" in BODIES[code]
    assert spoken(code).startswith("Добрый день!")


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        (ContentCode.SCRIPT_FIRST_CALL, ["артикул", "каталог", "VIN-запрос", "онлайн", "карт", "наличн"]),
        (ContentCode.SCRIPT_FIRST_CALL, ["автоклуб", "рамк", "листовк", "накопительн", "Договор", "узнали", "Письмо"]),
        (ContentCode.SCRIPT_FIRST_CALL, ["Статистику проценок", "отчество", "от 1 до 5", "наберите позже"]),
        (ContentCode.SCRIPT_SECOND_CALL, ["корзин", "Отправить заказ", "почему"]),
        (ContentCode.SCRIPT_ORDER_CONTACT, ["предоплат", "Когда", "Оптовым"]),
        (ContentCode.SCRIPT_ORDER_OFFER, ["Сверить", "понадёжнее", "заодно", "самая дешёвая"]),
        (ContentCode.SCRIPT_ORDER_OFFER, ["96/3", "Решает клиент", "нет каталога", "предоплату", "Оптовых"]),
        (ContentCode.SCRIPT_COLD_CALL, ["цена", "срок", "предоплата", "ошибки", "Запишите"]),
        (ContentCode.SCRIPT_PAYMENT_CHECK, ["счёт", "изменилось"]),
        (ContentCode.OBJECTION_PRICE, ["скидку", "аналог"]),
        (ContentCode.OBJECTION_DELIVERY, ["Сроки у нас настоящие"]),
        (ContentCode.OBJECTION_PREPAYMENT, ["картой на сайте", "обратно на карту"]),
        (ContentCode.CONTRACT, ["$legal_name", "48 часов", "двух экземплярах", "каждый лист"]),
    ],
)
def test_a_text_says_what_the_regulations_ask_for(code: ContentCode, facts: list[str]) -> None:
    assert [fact for fact in facts if fact not in BODIES[code]] == []


def test_a_script_needs_no_gender_of_the_caller() -> None:
    texts = " ".join(spoken(code) for code in SCRIPTS.values())
    assert re.findall(r"(?i)\b(?:рад|рада|хотел|хотела|выслал|выслала|готов|готова)\b", texts) == []


def test_there_is_an_answer_to_each_objection() -> None:
    titles = {text["code"]: text["title"] for text in first_contents()}
    assert [titles[code] for code in OBJECTIONS] == ["Высокие цены", "Большие сроки поставки", "Предоплата"]


def test_the_first_figures_are_those_of_the_regulations() -> None:
    figures = first_policy()
    assert (figures["cold_from_days"], figures["cold_until_days"]) == (7, 10)
    assert (figures["answer_within"], figures["unit"], figures["cards_per_phone"]) == (72, "calendar_hours", 3)


def test_placeholders_are_filled_and_unknown_ones_stay() -> None:
    assert fill("$manager, $office: 100 $ и $price", {"manager": "Иван", "office": "«Мира»"}) == (
        "Иван, «Мира»: 100 $ и $price"
    )
    assert fill("$office", {"office": "$manager"}) == "$manager"
