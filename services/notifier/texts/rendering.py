"""Render texts for people.  Templates are sandboxed; HTML is escaped, text is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notifier.texts.domain import MAX_SOURCE, markup_problems, template_problems
from services.notifier.texts.labels import plural

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Rendered:
    """A letter in all its forms."""

    title: str
    text: str
    html: str
    """A whole document for mail clients."""
    fragment: str
    """The body alone, for the cabinet."""


def money(value: Any) -> str:
    """Return «1 500 ₽», «99,50 ₽», with a no-break space between thousands."""
    amount = Decimal(str(value))
    whole, kopecks = divmod(amount, 1)
    written = f"{int(whole):,}".replace(",", "\N{NO-BREAK SPACE}")
    if kopecks:
        written += f",{int(kopecks * 100):02d}"
    return f"{written}\N{NO-BREAK SPACE}₽"


def local_time(value: Any, zone: str) -> str:
    """Return «21.11.2026 10:42» by the zone's clock, from a moment or its ISO text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment.astimezone(ZoneInfo(zone)):%d.%m.%Y %H:%M}"


def first_names(full_name: str) -> str:
    """Return «Мария Ивановна» of «Петрова Мария Ивановна» (LET-01); anything else as it is."""
    parts = full_name.split()
    return " ".join(parts[1:]) if len(parts) == 3 else full_name


def _environment(autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters |= {"money": money, "local_time": local_time, "first_names": first_names}
    environment.globals["plural"] = plural
    return environment


@cache
def _text_environment() -> ImmutableSandboxedEnvironment:
    return _environment(autoescape=False)


@cache
def _html_environment() -> ImmutableSandboxedEnvironment:
    return _environment(autoescape=True)


def one_line(value: str) -> str:
    """Return the value with control characters as spaces: no header can be smuggled in through a name."""
    return " ".join("".join(character if character.isprintable() else " " for character in value).split())


def render(template: str, context: Mapping[str, Any]) -> Rendered:
    """Render a letter; the text template's first line is the subject.  Raises jinja2 errors for a missing value."""
    text = _text_environment().get_template(f"{template}.txt").render(context)
    title, _, body = text.partition("\n")
    title = one_line(title)
    page = _html_environment().get_template(f"{template}.html")
    values = {**context, "title": title, "year": datetime.now(UTC).year}
    return Rendered(
        title=title,
        text=body.strip() + "\n",
        html=page.render({**values, "shell": "_mail.html"}),
        fragment=page.render({**values, "shell": "_fragment.html"}).strip(),
    )


def render_text(template: str, context: Mapping[str, Any]) -> str:
    """Render a text without a subject: an SMS."""
    return one_line(_text_environment().get_template(f"{template}.txt").render(context))


# ── Texts that head office wrote ──

FILTERS = (
    *("money", "local_time", "first_names", "upper", "lower", "capitalize", "join", "length", "default", "trim"),
    *("escape", "e", "first", "last", "round", "int", "map", "list", "unique", "selectattr", "rejectattr"),
)
_OPENING = "{% extends shell %}{% import '_parts.html' as parts_ %}"
_CLOSING = "{% endblock %}"


class TemplateRefused(Exception):
    """Why the source may not be published, in Russian sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _Guarded(ImmutableSandboxedEnvironment):
    """Calls only our own helpers and multiplies nothing: neither secrets nor memory can be reached."""

    intercepted_binops = frozenset({"*", "**"})

    def is_safe_callable(self, obj: Any) -> bool:
        return obj is plural or isinstance(obj, Macro)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError("умножение не разрешено")


@cache
def _guarded(autoescape: bool) -> _Guarded:
    usual = _environment(autoescape)
    environment = _Guarded(
        loader=usual.loader, undefined=StrictUndefined, autoescape=autoescape, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters = {name: usual.filters[name] for name in FILTERS}
    environment.globals = {"plural": plural}
    environment.tests = {name: usual.tests[name] for name in ("defined", "none", "undefined")}
    return environment


def render_source(title: str | None, text: str, html: str | None, context: Mapping[str, Any]) -> Rendered:
    """Render head office's own text of a letter, or without a title of an SMS.  Raises TemplateRefused."""
    for source in (title or "", text, html or ""):
        if len(source) > MAX_SOURCE:
            raise TemplateRefused([f"Шаблон длиннее {MAX_SOURCE} знаков."])
    plain, page = _guarded(autoescape=False), _guarded(autoescape=True)
    try:
        problems = [
            problem for source in (title or "", text, html or "") for problem in template_problems(plain.parse(source))
        ]
        problems += markup_problems(html or "")
        if problems:
            raise TemplateRefused(problems)
        words = plain.from_string(text).render(context)
        if title is None:
            body = one_line(words)
            return Rendered(body[:60], body, "", "")
        subject = one_line(plain.from_string(title).render(context))
        values = {**context, "title": subject, "year": datetime.now(UTC).year}
        # Data of that name wins over our helpers.
        helpers = "" if "parts" in context else "{% set parts = parts_ %}"
        letter = page.from_string(f"{_OPENING}{{% block body %}}{helpers}{html or ''}{_CLOSING}")
        return Rendered(
            subject,
            words.strip() + "\n",
            letter.render({**values, "shell": "_mail.html"}),
            letter.render({**values, "shell": "_fragment.html"}).strip(),
        )
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise TemplateRefused([f"{type(error).__name__}: {error}"]) from error
