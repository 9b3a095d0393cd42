"""What `./reglament new-service` refuses before it writes anything."""

from pathlib import Path

import pytest
from rich.console import Console

from devtools.errors import OperatorError
from devtools.new_service import command
from devtools.new_service.command import Place, check_name, new_service, places, planned
from shared.base.settings import SERVICES
from tests.support import ROOT


@pytest.mark.parametrize("name", ["", "x", "Parking", "car_park", "car-park", "парковка", "fleet2", "class", "a" * 21])
def test_a_name_has_small_latin_letters(name: str) -> None:
    with pytest.raises(OperatorError, match="cannot name a service"):
        check_name(name)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("orders", "services/orders"),
        ("kernel", "tests/unit/kernel"),
        ("contracts", "tests/integration/contracts"),
        ("postgres", "docker-compose.yml"),
        ("network", "k8s/network.yaml"),
        ("base", "shared/contracts/base.py"),
        ("story", "tests/contracts/examples/story.py"),
    ],
)
def test_a_taken_name_is_refused_with_what_has_it(name: str, place: str) -> None:
    with pytest.raises(OperatorError, match=f"taken: .*{place}"):
        check_name(name)


def test_a_free_name_is_accepted() -> None:
    check_name("fleet")


def test_every_place_of_the_repository_takes_one_more_service() -> None:
    texts = planned("fleet", "Автопарк", "cars")
    for place in places():
        before = (ROOT / place.path).read_text()
        assert "fleet" not in before, place.path
        assert "fleet" in texts[place.path].lower(), place.path
    assert not [path for path, text in texts.items() if "{{ " in text or "__name__" in path]


def test_a_place_that_is_gone_is_named_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Place("README.md", ", {{ name }}", after="^no such line$")
    with pytest.raises(OperatorError, match=r"README\.md has no place for a new service"):
        gone.insert("# Reglament\n", ", fleet")
    written: list[Path] = []
    monkeypatch.setattr(command, "places", lambda: [gone])
    monkeypatch.setattr(Path, "write_text", lambda path, _: written.append(path))
    with pytest.raises(OperatorError, match="no place"):
        new_service(Console(), "fleet", "Автопарк", "cars")
    assert written == []


def test_a_place_is_behind_the_last_match_or_before_the_first() -> None:
    first, last = SERVICES[0], SERVICES[-1]
    text = f"  {first}: 1\n  {last}: 2\nend\n"
    behind = Place("x", "", after=r"^  {service}: .*\n").insert(text, "  fleet: 3\n")
    before = Place("x", "", before=r"^  {service}:").insert(text, "  fleet: 0\n")
    assert behind == f"  {first}: 1\n  {last}: 2\n  fleet: 3\nend\n"
    assert before == f"  fleet: 0\n  {first}: 1\n  {last}: 2\nend\n"
