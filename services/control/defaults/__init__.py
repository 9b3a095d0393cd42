"""The first figures of the regulations that head office may change."""

import tomllib
from pathlib import Path
from typing import Any

POLICIES = Path(__file__).with_name("policies.toml")


def first_policies() -> dict[str, dict[str, Any]]:
    """Return each figure's code and what `PolicyDefinition` holds of it."""
    return tomllib.loads(POLICIES.read_text("utf-8"))
