"""The first figures of the regulations, which the first migration puts into the table of policies."""

import tomllib
from pathlib import Path
from typing import Any

POLICIES = Path(__file__).with_name("policies.toml")


def first_policies() -> dict[str, dict[str, Any]]:
    """Return the data of each policy's first version by its code.

    TOML has no null: the last band of the matrix leaves `upto` out, and gets None here.
    """
    policies: dict[str, dict[str, Any]] = tomllib.loads(POLICIES.read_text("utf-8"))
    for band in policies["returns"]["bands"]:
        band.setdefault("upto", None)
    return policies
