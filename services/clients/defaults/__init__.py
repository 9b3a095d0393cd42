"""The first texts and figures of head office, which the first migration puts into the tables."""

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def first_contents() -> list[dict[str, str]]:
    """Return version 1 of every text: code, title and body with its placeholders."""
    texts = _read("contents.toml")
    return [{"code": code, "title": text["title"], "body": text["body"].strip()} for code, text in texts.items()]


def first_policy() -> dict[str, Any]:
    """Return the figures in force until head office publishes others."""
    return _read("policy.toml")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text("utf-8"))
