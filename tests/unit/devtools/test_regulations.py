"""How the index of the regulations is read from the catalogue, the code and the tests."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from devtools.documents import regulations
from devtools.documents.regulations import Clause, Place, catalogue, index, unknown_clauses

CATALOGUE = """# Catalogue

## Orders

| Clause | Title | What it asks for |
|---|---|---|
| ORD-07 | Comments | A comment addresses the client. |
| ORD-08 | Prices | A price has two digits. |

## Calls

| CALL-01 | Calls | A call is answered. |
"""
MODULE = '''"""Comments (ORD-07)."""

LIMIT = 3
"""ORD-99, which the catalogue lacks."""


def check() -> None:
    """Check the price (ORD-08)."""
    text = "CALL-01 in a string owns nothing"
'''
TESTS = """
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.clause("CALL-01")]


@pytest.mark.parametrize("x", ["ORD-08"])
@pytest.mark.clause("ORD-07", "ORD-98")
def test_a_comment(x): ...


async def test_a_call(): ...


def helper(): ...
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of three files."""
    for path, text in {
        "catalogue.md": CATALOGUE,
        "services/orders/domain/comments.py": MODULE,
        "services/orders/api.py": '"""ORD-07 over HTTP."""\n',
        "services/orders/defaults/prices.toml": "# ORD-08\n",
        "shared/other.toml": "# CALL-01\n",
        "tests/unit/test_comments.py": TESTS,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(regulations, "ROOT", tmp_path)

    def own_catalogue() -> Sequence[Clause]:
        return catalogue(tmp_path / "catalogue.md")

    monkeypatch.setattr(regulations, "catalogue", own_catalogue)
    for cached in ("owners", "proofs"):
        monkeypatch.setattr(regulations, cached, getattr(regulations, cached).__wrapped__)
    return tmp_path


def places(found: Mapping[str, Sequence[Place]]) -> dict[str, list[str]]:
    return {clause: [f"{place.path}:{place.name}" for place in places] for clause, places in found.items()}


def test_the_catalogue_keeps_its_order_and_sections(checkout: Path) -> None:
    clauses = catalogue(checkout / "catalogue.md")
    assert [(clause.id, clause.title, clause.section) for clause in clauses] == [
        ("ORD-07", "Comments", "Orders"),
        ("ORD-08", "Prices", "Orders"),
        ("CALL-01", "Calls", "Calls"),
    ]


@pytest.mark.usefixtures("checkout")
def test_docstrings_notes_and_default_data_own_a_clause_the_nearest_to_the_rule_first() -> None:
    assert places(regulations.owners()) == {
        "ORD-07": ["services/orders/domain/comments.py:", "services/orders/api.py:"],
        "ORD-08": ["services/orders/domain/comments.py:check", "services/orders/defaults/prices.toml:"],
        "ORD-99": ["services/orders/domain/comments.py:LIMIT"],
    }


@pytest.mark.usefixtures("checkout")
def test_marks_of_tests_and_of_whole_modules_prove_a_clause() -> None:
    file = "tests/unit/test_comments.py"
    assert places(regulations.proofs()) == {
        "CALL-01": [f"{file}:test_a_call", f"{file}:test_a_comment"],
        "ORD-07": [f"{file}:test_a_comment"],
        "ORD-98": [f"{file}:test_a_comment"],
    }


@pytest.mark.usefixtures("checkout")
def test_a_clause_that_the_catalogue_lacks_is_found_in_code_and_tests() -> None:
    assert places(unknown_clauses()) == {
        "ORD-99": ["services/orders/domain/comments.py:LIMIT"],
        "ORD-98": ["tests/unit/test_comments.py:test_a_comment"],
    }


@pytest.mark.usefixtures("checkout")
def test_the_index_says_what_is_missing() -> None:
    rows = {line.split("</a>")[1].split(" ")[0]: line for line in index().splitlines() if "<a id=" in line}
    assert list(rows) == ["ORD-07", "ORD-08", "CALL-01"]
    assert "test_comments.py)<br>› `test_a_comment`" in rows["ORD-07"]
    assert rows["ORD-08"].endswith("| no test yet |")
    assert f"| {regulations.NOT_YET} | [`tests/unit/test_comments.py" in rows["CALL-01"]


def test_every_row_of_the_real_catalogue_is_read() -> None:
    rows = [line for line in regulations.CATALOGUE.read_text().splitlines() if re.match(r"\| [A-Z]+-?\d", line)]
    assert len(catalogue()) == len(rows) > 100
