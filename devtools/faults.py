"""`./reglament faults`: play the fault scenarios on servers of their own and say which promises held."""

import asyncio
import json
import random
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devtools.errors import OperatorError
from devtools.supervisor.state import ROOT
from devtools.supervisor.up import StopRequested, stop_signals

if TYPE_CHECKING:
    from tests.faults.checker import Verdict
    from tests.faults.scenarios import Scenario
    from tests.faults.scenarios.base import Run

OUTPUT = ROOT / ".reglament" / "faults"


def run(console: Console, names: Sequence[str], seed: int | None, *, full: bool, part: float = 1.0) -> int:
    """Play the scenarios and return the exit status: 1 where an invariant broke, 130 after Ctrl-C or SIGTERM.

    No server and no data of a run remain; its history and verdict stay in `.reglament/faults`.
    Raises OperatorError for a name that is no scenario.
    """
    from tests.faults.scenarios import SCENARIOS
    from tests.faults.scenarios.base import Run
    from tests.faults.servers import private_servers

    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise OperatorError(f"no scenario {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}")
    chosen = random.randrange(2**31) if seed is None else seed
    directory = OUTPUT / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    holds = True
    try:
        with stop_signals(), private_servers() as servers:
            for each, scenario in SCENARIOS.items():
                if not names or each in names:
                    console.print(f"[bold]{each}[/]  {scenario.title}, seed {chosen}", highlight=False)
                    begun = time.monotonic()
                    verdict = run_scenario(scenario, Run(servers, chosen, full, directory, part))
                    verdict.figures["took, s"] = round(time.monotonic() - begun, 1)
                    show(console, verdict)
                    keep(directory / f"{each}-{chosen}.json", verdict)
                    holds = holds and verdict.holds
    except StopRequested:
        console.print("stopped")
        return 130
    console.print(f"[dim]history and verdicts: {directory}[/]", soft_wrap=True, highlight=False)
    return 0 if holds else 1


def run_scenario(scenario: "Scenario", run: "Run") -> "Verdict":
    """Play a scenario; one that raises counts as a broken promise."""
    from tests.faults.checker import Verdict

    try:
        return asyncio.run(scenario.run(run))
    except Exception as error:
        details = "".join(traceback.format_exception(error))
        return Verdict(violations=[f"not played to its end: {error!r}", details])


def show(console: Console, verdict: "Verdict") -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    for what, figure in verdict.figures.items():
        table.add_row(f"  {escape(what)}", escape(str(figure)))
    console.print(table)
    for violation in verdict.violations:
        console.print(f"  [red]broken:[/] {escape(violation)}", soft_wrap=True, highlight=False)


def keep(path: Path, verdict: "Verdict") -> None:
    """Write the verdict to a file."""
    record = {"holds": verdict.holds, "figures": verdict.figures, "violations": verdict.violations}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1, default=str))
