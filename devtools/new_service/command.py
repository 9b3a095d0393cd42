"""Write a new service from `templates/` and enter it in every list of `places.toml`."""

import keyword
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console

from devtools.errors import OperatorError
from devtools.supervisor.state import ROOT
from shared.base.settings import SERVICES

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
NAME_IN_PATHS = "__name__"
NAME = re.compile(r"[a-z]{2,20}")
"""A service's name begins the names of its events, its variables, its database and its containers."""
FOLDERS = ("services", "tests/unit", "tests/integration")
FORMATTERS = (("ruff", "check", "--quiet", "--select", "I,RUF022", "--fix"), ("ruff", "format", "--quiet"))
"""The name decides how imports are sorted and lines are broken."""
GENERATORS = (("tests.contracts.update",), ("devtools", "openapi"), ("devtools", "docs"))
"""Run in this order, each as a process of its own: this one has imported the code as it was before."""


@dataclass(frozen=True)
class Place:
    """One insertion of `places.toml`, whose head explains the fields."""

    path: str
    text: str
    after: str = ""
    before: str = ""

    def insert(self, into: str, text: str) -> str:
        """Return `into` with `text` at this place.  Raises OperatorError when the place is not there any more."""
        pattern = (self.after or self.before).replace("{service}", f"(?:{'|'.join(SERVICES)})")
        found = list(re.finditer(pattern, into, re.MULTILINE))
        if not found:
            raise OperatorError(f"{self.path} has no place for a new service: nothing matches {pattern}")
        position = found[-1].end() if self.after else found[0].start()
        return into[:position] + text + into[position:]


def new_service(console: Console, name: str, title: str, about: str) -> None:
    """Write the service and what is generated from its code.

    `title` is Russian, for the API documents; `about` is English, for the pages of developers.
    Raises OperatorError for a name that cannot be used, before anything is written.
    """
    check_name(name)
    texts = planned(name, title, about)
    for path, text in texts.items():
        file = ROOT / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    code = [path for path in texts if path.endswith(".py")]
    for formatter in FORMATTERS:
        _run([*formatter, *code])
    for generator in GENERATORS:
        _run(generator)
    console.print(
        f"made services/{name}: {len(texts)} files written or extended; look at them with `git status`\n"
        f"next: ./reglament test tests/unit/{name} tests/integration/{name}, then docs/guides/new-service.md",
        highlight=False,
        soft_wrap=True,
    )


def check_name(name: str) -> None:
    """Raise OperatorError for a name that is malformed or taken by a service, a folder or a container."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise OperatorError(f"{name!r} cannot name a service: 2 to 20 small Latin letters, no word of Python's own")
    containers = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    taken = [f"{folder}/{name}" for folder in FOLDERS if (ROOT / folder / name).exists()]
    taken += ["docker-compose.yml"] if name in containers else []
    taken += [path for path in _rendered_paths(name) if (ROOT / path).exists()]
    if taken:
        raise OperatorError(f"the name {name} is taken: {', '.join(taken)}")


def planned(name: str, title: str, about: str) -> dict[str, str]:
    """Return path -> text of every file that is new or extended.  Raises OperatorError where a place is missing."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    names = {"name": name, "Name": name.capitalize(), "NAME": name.upper()}
    values = {**names, "title": title, "about": about, "version": version}
    jinja = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)
    texts = {
        path: jinja.get_template(template).render(values)
        for path, template in zip(_rendered_paths(name), jinja.list_templates(), strict=True)
    }
    for place in places():
        before = texts.get(place.path) or (ROOT / place.path).read_text()
        texts[place.path] = place.insert(before, jinja.from_string(place.text).render(values))
    return texts


def places() -> list[Place]:
    return [Place(**entry) for entry in tomllib.loads((HERE / "places.toml").read_text())["place"]]


def _rendered_paths(name: str) -> list[str]:
    """Return what the templates are written to, in the order of Jinja's list of them."""
    templates = Environment(loader=FileSystemLoader(TEMPLATES)).list_templates()
    return [template.removesuffix(".j2").replace(NAME_IN_PATHS, name) for template in templates]


def _run(module: Sequence[str]) -> None:
    """Run a module of Python in the checkout.  Raises OperatorError with the output of what failed."""
    done = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OperatorError(f"`{' '.join(module)}` failed:\n{done.stdout}{done.stderr}")
