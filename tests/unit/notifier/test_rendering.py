"""Texts: complete, escaped, without traps in headers."""

import copy
import re
from typing import Any

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from services.notifier.texts.rendering import (
    TEMPLATES,
    _text_environment,
    first_names,
    money,
    one_line,
    render,
    render_text,
)
from services.notifier.texts.samples import SAMPLES, SMS_SAMPLES


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_letter_renders_as_text_and_html(name: str) -> None:
    rendered = render(name, SAMPLES[name])
    assert rendered.title and "\n" not in rendered.title
    assert "ПроДеталь-Мира 45" in rendered.text
    assert rendered.html.startswith("<!DOCTYPE html>")
    assert "<html" not in rendered.fragment and "<h1" in rendered.fragment
    for text in (rendered.text, rendered.html):
        assert "{{" not in text and "None" not in text and "{%" not in text
    assert not re.search(r"\n{4,}", rendered.text)


def test_every_template_has_a_sample() -> None:
    letters = {path.stem for path in TEMPLATES.glob("*.html") if not path.name.startswith("_")}
    texts = {path.stem for path in TEMPLATES.glob("*.txt") if not path.name.startswith("_")}
    assert letters == SAMPLES.keys()
    assert texts == SAMPLES.keys() | SMS_SAMPLES.keys()


@pytest.mark.clause("LET-01")
def test_the_information_letter_has_the_offices_name_in_its_subject_and_every_chapter() -> None:
    """LET-01."""
    rendered = render("information_letter", SAMPLES["information_letter"])
    assert rendered.title == "ПРОДЕТАЛЬ-МИРА 45 ИНСТРУКЦИИ"
    assert "Здравствуйте, Мария Ивановна!" in rendered.text
    chapters = ("РАБОТА С САЙТОМ", "ПОДБОР", "СКИДКИ", "СПОСОБЫ ОПЛАТЫ", "СПОСОБЫ ПОЛУЧЕНИЯ", "КОНТАКТЫ")
    places = [rendered.text.index(chapter) for chapter in chapters]
    assert places == sorted(places)
    assert "Иванов Иван Иванович, +7 3435 11-11-11" in rendered.text


def _changed(value: Any, replacement: str) -> Any:
    if isinstance(value, dict):
        return {name: _changed(item, replacement) for name, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, replacement) for item in value]
    return replacement if isinstance(value, str) and re.search("[а-яА-Я]", value) else value


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_nothing_that_people_typed_becomes_html(name: str) -> None:
    hostile = _changed(copy.deepcopy(SAMPLES[name]), "<script>alert(1)</script>")
    rendered = render(name, hostile)
    assert "<script" not in rendered.html and "<script" not in rendered.fragment
    assert "&lt;script&gt;" in rendered.html


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_line_breaks_in_data_never_reach_a_header(name: str) -> None:
    hostile = _changed(copy.deepcopy(SAMPLES[name]), "Иван\r\nBcc: all@example.ru")
    title = render(name, hostile).title
    assert "\r" not in title and "\n" not in title


def test_data_is_not_a_template() -> None:
    sample = _changed(copy.deepcopy(SAMPLES["order_ready"]), "{{ 7 * 7 }}{% if true %}")
    assert "{{ 7 * 7 }}" in render("order_ready", sample).text


def test_templates_are_sandboxed() -> None:
    with pytest.raises(SecurityError):
        _text_environment().from_string("{{ ''.__class__.__mro__[1].__subclasses__() }}").render()


def test_a_missing_value_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(UndefinedError):
        render("order_ready", {"office": SAMPLES["order_ready"]["office"]})


@pytest.mark.clause("NTF-02")
def test_the_sms_is_one_short_line() -> None:
    text = render_text("order_ready_sms", SMS_SAMPLES["order_ready_sms"])
    assert text == "ПроДеталь-Мира 45: заказ З-000031 готов к выдаче. пр. Мира, 45, т. +7 3435 00-00-00"


def test_one_comment_for_all_removed_positions_is_said_once() -> None:
    sample = copy.deepcopy(SAMPLES["positions_removed"])
    sample["positions"] *= 3
    text = render("positions_removed", sample).text
    assert text.count("Заявка не актуальна, свяжитесь с менеджером") == 1
    sample["positions"][0] = {**sample["positions"][0], "comment": "Деталь не применима к вашему автомобилю."}
    text = render("positions_removed", sample).text
    assert "Деталь не применима к вашему автомобилю." in text and "Заявка не актуальна" in text


@pytest.mark.parametrize(
    ("amount", "written"), [("1500.00", "1 500 ₽"), ("99.5", "99,50 ₽"), (0, "0 ₽"), ("1234567.89", "1 234 567,89 ₽")]
)
def test_money_is_written_the_russian_way(amount: Any, written: str) -> None:
    assert money(amount) == written.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("full_name", "greeted"),
    [("Петрова Мария Ивановна", "Мария Ивановна"), ("Мария", "Мария"), ("ООО Ромашка", "ООО Ромашка"), ("", "")],
)
def test_the_greeting_is_by_name_and_patronymic(full_name: str, greeted: str) -> None:
    assert first_names(full_name) == greeted


def test_one_line_removes_every_kind_of_break() -> None:
    assert one_line("a\r\nb\x0bc\u2028d\x00e\te") == "a b c d e e"
