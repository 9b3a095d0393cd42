"""`./reglament findings` on a folder of three scripts."""

from pathlib import Path

import pytest
from rich.console import Console

from devtools.findings import run_all


def test_every_script_runs_and_one_that_no_longer_holds_is_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-holds.sh").write_text("echo quiet\n")
    (tmp_path / "b-gone.sh").write_text("echo 'expected 1, seen 2'\necho details >&2\nexit 3\n")
    (tmp_path / "c-holds-too.sh").write_text("true\n")
    (tmp_path / "README.md").write_text("exit 1\n")
    assert run_all(Console(no_color=True, width=200), tmp_path) == 1
    lines = [line for line in capfd.readouterr().out.splitlines() if line]
    assert [line.rpartition(" ")[0].rpartition(" ")[0] for line in lines if " s" in line[-3:]] == [
        "a-holds holds",
        "b-gone no longer holds",
        "c-holds-too holds",
    ]
    assert [line for line in lines if not line.endswith(" s")] == ["expected 1, seen 2", "details"]


@pytest.mark.parametrize("scripts", [[], ["holds.sh"]])
def test_when_all_hold_the_status_is_0(tmp_path: Path, scripts: list[str]) -> None:
    for script in scripts:
        (tmp_path / script).write_text("exit 0\n")
    assert run_all(Console(quiet=True), tmp_path) == 0
