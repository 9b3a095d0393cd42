"""CL-11: the line of the log."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.clients.domain.call_log import (
    GOAL_LABELS,
    OUTCOME_LABELS,
    RATING_LABELS,
    RULE_GOALS,
    entry,
    goal_of_rule,
)
from services.clients.domain.content import SCRIPTS, ContentCode, fill
from services.clients.domain.labels import Category, DisabledReason
from services.clients.domain.names import given_name, initials
from services.clients.migrations.first_contents import FIRST_CONTENTS
from shared.contracts.clients import CallOutcome

TAGIL = ZoneInfo("Asia/Yekaterinburg")
EVENING = datetime(2015, 1, 10, 13, 23, tzinfo=UTC)


def test_the_sample_of_the_regulation_is_reproduced() -> None:
    line = entry(
        called_at=EVENING,
        zone=TAGIL,
        outcome="reached",
        rating=5,
        comment="Клиенту все понравилось, раньше покупал в экзисте, планирует заказ в течении пары дней",
        caller="Андреева Мария",
    )
    assert line == (
        "18:23, 10.01.15. Оценка 5. Клиенту все понравилось, раньше покупал в экзисте, "
        "планирует заказ в течении пары дней. М.А."
    )


@pytest.mark.parametrize(
    ("outcome", "rating", "comment", "line"),
    [
        ("no_answer", None, "", "18:23, 10.01.15. Не берёт трубку. М.А."),
        (
            "cannot_talk",
            None,
            "Просил после шести!",
            "18:23, 10.01.15. Не может сейчас разговаривать. Просил после шести! М.А.",
        ),
        ("reached", None, "Оплатит завтра.", "18:23, 10.01.15. Оплатит завтра. М.А."),
        ("reached", 3, "", "18:23, 10.01.15. Оценка 3. М.А."),
    ],
)
def test_an_entry_says_what_happened(outcome: CallOutcome, rating: int | None, comment: str, line: str) -> None:
    assert (
        entry(called_at=EVENING, zone=TAGIL, outcome=outcome, rating=rating, comment=comment, caller="Андреева Мария")
        == line
    )


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


def test_every_text_has_a_first_wording_and_every_goal_a_script() -> None:
    assert {code for code, _, _ in FIRST_CONTENTS} == {code.value for code in ContentCode}
    assert set(SCRIPTS) == set(GOAL_LABELS) - {"other"}


def test_placeholders_are_filled_and_unknown_ones_stay() -> None:
    assert fill("$manager, $office: 100 $ и $price", {"manager": "Иван", "office": "«Мира»"}) == (
        "Иван, «Мира»: 100 $ и $price"
    )
    assert fill("$office", {"office": "$manager"}) == "$manager"
