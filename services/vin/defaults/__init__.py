"""The first reasons for refusing to answer a line, which the first migration puts into their table."""

import tomllib
from pathlib import Path
from typing import Any

REASONS = Path(__file__).with_name("reasons.toml")


def first_reasons() -> list[dict[str, Any]]:
    """Return code, label, text and whether it is allowed, of each reason (VIN-06)."""
    reasons: list[dict[str, Any]] = tomllib.loads(REASONS.read_text("utf-8"))["reason"]
    return reasons
