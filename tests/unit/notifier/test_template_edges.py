"""What a template of head office may have, and the words of what it may not."""

import pytest
from jinja2 import Environment

from services.notifier.texts.domain import markup_problems, template_problems

LOOP = "{% for a in b %}"
END = "{% endfor %}"


def problems(source: str) -> list[str]:
    return template_problems(Environment(autoescape=True).parse(source))


def test_words_data_conditions_and_one_list_in_another_are_allowed() -> None:
    assert problems("Текст {{ a }} {% if b %}c{% endif %}" + LOOP * 2 + END * 2) == []
    assert problems(LOOP + END + LOOP + LOOP + END + END) == []
    assert problems('{% include "_signature.txt" %}') == []


def test_a_third_list_is_too_deep() -> None:
    assert problems(LOOP * 3 + END * 3) == ["циклы вложены слишком глубоко"]
    assert problems(LOOP + "{% if a %}" + LOOP * 2 + END * 2 + "{% endif %}" + END) == ["циклы вложены слишком глубоко"]


@pytest.mark.parametrize(
    "source",
    [
        '{% include "other.txt" %}',
        "{% include name %}",
        '{% extends "_signature.txt" %}',
        '{% import "_signature.txt" as a %}',
        "{% macro a() %}{% endmacro %}",
        "{% block a %}{% endblock %}",
    ],
)
def test_templates_are_not_joined(source: str) -> None:
    assert problems("\n" + source) == ["строка 2: так шаблоны не соединяют"]


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color: red"><a href="https://x">a</a><br><a HREF=" MAILTO:a@x ">b</a></p>',
        '<a href="{{ public_url }}/x">a</a><a href="tel:+7">b</a><a href="http://x">c</a>',
        '<table role="presentation" cellpadding="0"><tr><td width="1">a</td></tr></table><p style>',
    ],
)
def test_the_simplest_markup_is_allowed(page: str) -> None:
    assert markup_problems(page) == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<form><form>", ["тег <form> не разрешён"]),
        ('<p onclick="x">', ["атрибут onclick не разрешён"]),
        ('<img src="x">', ["тег <img> не разрешён", "атрибут src не разрешён"]),
        ('<a href="javascript:x">', ["ссылка «javascript:x» не разрешена"]),
        ("<a href>", ["ссылка «None» не разрешена"]),
        ('<p style="background: URL(x)">', ["в оформлении не разрешены внешние адреса"]),
        ('<p style="width: Expression(x)">', ["в оформлении не разрешены внешние адреса"]),
        ('<p style="@import x">', ["в оформлении не разрешены внешние адреса"]),
        ("<!DOCTYPE html>", ["объявления не разрешены"]),
        ("<![CDATA[x]]>", ["объявления не разрешены"]),
    ],
)
def test_what_is_more_is_named_once(page: str, found: list[str]) -> None:
    assert markup_problems(page) == found
