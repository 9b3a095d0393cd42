"""Read docker-compose.yml like Docker, for tests that run without it."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support import ROOT

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def env_file(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def interpolate(value: Any, variables: dict[str, str]) -> Any:
    """Substitute by Compose's rules: `${A}`, `${A:-default}`, `${A:?error}`.  Raises KeyError."""
    if isinstance(value, dict):
        return {key: interpolate(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolate(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        found = variables.get(match["name"], "")
        if not found and match["kind"] == "?":
            raise KeyError(match["name"])
        return found or (match["rest"] if match["kind"] == "-" else "")

    return VARIABLE.sub(replacement, value)


def containers(variables: dict[str, str]) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found: dict[str, Any] = interpolate(content["services"], variables)
    return found
