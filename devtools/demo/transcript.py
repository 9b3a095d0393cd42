"""The transcript that the audience reads."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table


class Transcript:
    """Narration in Russian; clauses of the regulations stand beside what they govern."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()

    def title(self, text: str, below: str) -> None:
        self._console.print(Panel(f"[bold]{escape(text)}[/]\n{escape(below)}", box=box.ROUNDED, expand=False))

    def step(self, number: int, title: str, clauses: Sequence[str]) -> None:
        self._console.print()
        self._console.print(Rule(f"[bold]{number}. {escape(title)}[/]", align="left", style="dim"))
        self._console.print(f"   [cyan]{', '.join(clauses)}[/]")

    def does(self, who: str, what: str, *clauses: str) -> None:
        """Show an action of a person that succeeded."""
        self._line("[green]✓[/]", f"[bold]{escape(who)}[/]: {escape(what)}", clauses)

    def happens(self, what: str, *clauses: str) -> None:
        """Show an action of the system."""
        self._line("[green]✓[/]", escape(what), clauses)

    def refuses(self, what: str, why: str, *clauses: str) -> None:
        """Show a refusal that was expected."""
        self._line("[yellow]✗[/]", f"{escape(what)} — [yellow]отказ[/]: {escape(why)}", clauses)

    def letter(self, letter: dict[str, Any], *clauses: str) -> None:
        self._line("[blue]✉[/]", f"письмо → {escape(', '.join(letter['to']))}: «{escape(letter['subject'])}»", clauses)

    def sms(self, sms: dict[str, Any], *clauses: str) -> None:
        self._line("[blue]✆[/]", f"SMS → {escape(sms['phone'])}: «{escape(sms['text'])}»", clauses)

    def document(self, path: Path, what: str, *clauses: str) -> None:
        self._line("[magenta]▤[/]", f"{escape(what)} → [underline]{escape(_shown(path))}[/]", clauses)

    def quotes(self, lines: Iterable[str]) -> None:
        """Show the system's own words."""
        for line in lines:
            self._console.print(f"   [dim]│[/] [italic]{escape(line.strip())}[/]", highlight=False, soft_wrap=True)

    def table(self, *columns: str, rows: Sequence[Sequence[Any]], title: str = "") -> None:
        table = Table(*columns, title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self._console.print(table)

    def ends(self, held: int, documents: int, folder: Path) -> None:
        self._console.print()
        text = f"[bold green]День пройден: выполнены все {held} шагов[/] за {self.seconds:.0f} с"
        self._console.print(Panel(f"{text}\nДокументов: {documents}, папка {escape(_shown(folder))}", expand=False))

    def breaks(self, number: int, why: str) -> None:
        self._console.print()
        text = f"[bold red]Шаг {number} не выполнен[/] на {self.seconds:.0f}-й секунде\n{escape(why)}"
        self._console.print(Panel(text, border_style="red"))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def _line(self, mark: str, text: str, clauses: Sequence[str]) -> None:
        tail = f"  [cyan]{', '.join(clauses)}[/]" if clauses else ""
        self._console.print(f" {mark} {text}{tail}", highlight=False, soft_wrap=True)


def _shown(path: Path) -> str:
    """Return the path as it is typed from the current folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
