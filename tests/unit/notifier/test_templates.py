"""Head office's own texts: draft, preview, publication; nothing in them can run; old notices keep their text."""

import copy

import pytest

from services.notifier.texts.rendering import TEMPLATES, TemplateRefused, render, render_source
from services.notifier.texts.samples import SAMPLES

SAMPLE = SAMPLES["refund"]


def source(name: str) -> tuple[str, str, str]:
    title, _, text = (TEMPLATES / f"{name}.txt").read_text().partition("\n")
    page = (TEMPLATES / f"{name}.html").read_text().partition("{% block body %}")[2].rpartition("{% endblock %}")[0]
    return title, text, page


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_text_of_the_system_can_be_the_start_of_an_own_one(name: str) -> None:
    own, edited = render(name, SAMPLES[name]), render_source(*source(name), SAMPLES[name])
    assert (edited.title, edited.text, edited.fragment) == (own.title, own.text, own.fragment)


@pytest.mark.parametrize(
    "trap",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ office.name.upper() }}",
        "{{ 'x' * 100000000 }}",
        "{{ 9 ** 9999999 }}",
        "{{ range(10) }}",
        "{{ cycler }}",
        "{{ 'x' | center(100000000) }}",
        "{% include '_mail.html' %}",
        "{% import '_parts.html' as p %}",
        "{% extends 'refund.html' %}",
        "{% block accent %}red{% endblock %}",
        "{% endblock %}{% block body %}",
        "{% for a in refunds %}{% for b in refunds %}{% for c in refunds %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ unknown }}",
        "{{ 1 / 0 }}",
        "{% for %}",
        "x" * 20_001,
    ],
)
def test_a_text_can_neither_reach_nor_break_anything(trap: str) -> None:
    for title, text, html in ((trap, "a", "<p>b</p>"), ("a", trap, "<p>b</p>"), ("a", "b", trap)):
        with pytest.raises(TemplateRefused):
            render_source(title, text, html, SAMPLE)


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<p onclick='x'>a</p>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='{{ client.full_name }}'>a</a>",
        "<p style='background:url(http://x)'>a</p>",
        "<iframe src='http://x'></iframe>",
        "<form><input></form>",
        "<!DOCTYPE html><p>a</p>",
        "<SCRIPT>x</SCRIPT>",
    ],
)
def test_markup_that_runs_or_loads_is_refused(page: str) -> None:
    with pytest.raises(TemplateRefused):
        render_source("a", "b", page, SAMPLE)


def test_data_stays_data_in_an_own_text() -> None:
    hostile = copy.deepcopy(SAMPLE)
    hostile["client"]["full_name"] = "<b>{{ 7 * 7 }}</b>\r\nBcc: all@example.ru"
    made = render_source("{{ client.full_name }}", "{{ client.full_name }}", "<p>{{ client.full_name }}</p>", hostile)
    assert "\n" not in made.title and "{{ 7 * 7 }}" in made.text
    assert "&lt;b&gt;" in made.html and "<b>" not in made.fragment
