"""Rows of the first release's dumps (tests/upgrade/first_release), read without a server."""

import gzip
import re
from pathlib import Path

DUMPS = Path(__file__).parents[1] / "upgrade" / "first_release"
_VALUE = re.compile(r"'((?:[^']|'')*)'|([^\s,()]+)")


def dumped_rows(service: str, table: str) -> list[list[str | None]]:
    """The rows of a table, each value as text, NULL as None."""
    dump = gzip.decompress((DUMPS / f"{service}.sql.gz").read_bytes()).decode()
    _, found, rest = dump.partition(f"INSERT INTO public.{table} VALUES\n")
    assert found, f"the dump of {service} has no rows of {table}"
    rows = rest.partition(";\n")[0].splitlines()
    return [[_text(*match.groups()) for match in _VALUE.finditer(row)] for row in rows]


def _text(quoted: str | None, bare: str | None) -> str | None:
    if quoted is not None:
        return quoted.replace("''", "'")
    return None if bare == "NULL" else bare
