"""The default set of rules."""

import tomllib
from pathlib import Path
from typing import Any

from services.notifier.clock.domain.rules import Rule

DEFAULT = Path(__file__).with_name("rules.toml")


def default_rules() -> list[Rule]:
    """Return version 1 of every rule.  Raises pydantic's ValidationError when the file is wrong."""
    content: dict[str, Any] = tomllib.loads(DEFAULT.read_text("utf-8"))
    common = content["defaults"]
    return [Rule.model_validate({"version": 1, **common, **entry}) for entry in content["rule"]]
