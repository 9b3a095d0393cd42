"""The commands of `./reglament`."""

import importlib
import importlib.util
import os
import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import typer
from rich.console import Console

from devtools import quality
from devtools.errors import OperatorError
from devtools.supervisor.processes import free_port
from devtools.supervisor.state import ROOT, data_directory

app = typer.Typer(
    name="./reglament",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_show_locals=False,
)
# Everything behind the command's name goes to the tool that it runs.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
DEFAULT_PORT = 8000
console = Console()


class Scale(StrEnum):
    SMALL = "small"
    FULL = "full"


@app.callback()
def list_commands(context: typer.Context) -> None:
    """Back office of a parts franchise: the network's regulations, executed."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Start empty: delete the private servers' data.")] = False,
    processes: Annotated[bool, typer.Option("--processes", help="One process for each service.")] = False,
    port: Annotated[int, typer.Option(help="The port of the one origin.")] = DEFAULT_PORT,
) -> None:
    """Start everything and keep it running; a second start keeps the data."""
    from devtools.supervisor.up import up as run

    run(console, data_directory(), port=port, separate=processes, fresh=fresh)


@app.command(context_settings=PASS_ON)
def test(context: typer.Context) -> None:
    """Run the checks, then all tests; --fast: without servers; --clause ORD-07; the rest goes to pytest."""
    arguments = list(context.args)
    if "--fast" in arguments:
        arguments.remove("--fast")
        raise typer.Exit(quality.test_fast(console, arguments))
    raise typer.Exit(quality.test(console, arguments))


@app.command()
def lint() -> None:
    """Run the checks of `test` without the tests."""
    raise typer.Exit(quality.lint(console))


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Where the documents of the day are written.")] = ROOT / "demo-output",
) -> None:
    """Play an office's whole day over HTTP; uses the running system, or starts one and stops it."""
    from devtools.supervisor.system import running_system

    run_demo = importlib.import_module("devtools.demo.main").run
    running = data_directory().running()
    if running is not None:
        raise typer.Exit(run_demo(running.url, output))
    from devtools.supervisor.up import StopRequested, stop_signals

    try:
        with (
            stop_signals(),
            running_system(
                data_directory(), port=free_port(), report_progress=lambda what: console.print(f"[dim]{what}[/]")
            ) as own,
        ):
            status = run_demo(own.state.url, output)
    except StopRequested:
        raise typer.Exit(130) from None
    raise typer.Exit(status)


@app.command()
def status() -> None:
    """Say whether the system runs, and where everything is."""
    from devtools.supervisor.up import show_addresses

    running = data_directory().running()
    if running is None:
        console.print(f"not running (data: {data_directory().path})", soft_wrap=True, highlight=False)
        raise typer.Exit(3)
    show_addresses(console, running)
    for name, pid in running.processes.items():
        console.print(
            f"         [bold]{name:<12}[/] process {pid}   {running.service_urls.get(name, '')}", highlight=False
        )


@app.command()
def migrate() -> None:
    """Create missing databases and roles, bring every schema up to date."""
    from devtools.supervisor.databases import migrate as run

    run(data_directory(), lambda what: console.print(what, soft_wrap=True, highlight=False))


@app.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit 1 when a document is stale.")] = False,
) -> None:
    """Write docs/api (OpenAPI and AsyncAPI); with --check only compare."""
    from devtools.documents.api import documents
    from devtools.documents.files import write_or_check

    raise typer.Exit(write_or_check(console, ROOT / "docs" / "api", documents(), check=check))


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit 1 when a page is stale.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Build the documentation site and serve it.")] = False,
) -> None:
    """Write the generated pages (regulations, events); with --serve show the documentation as a site."""
    from devtools.documents.files import write_or_check
    from devtools.documents.pages import pages

    status = write_or_check(console, ROOT / "docs", pages(), check=check)
    if status == 0 and serve:
        os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # The banner of the theme; its advice is in mkdocs.yml.
        status = run_module("mkdocs", "serve", "--strict")
    raise typer.Exit(status)


@app.command()
def findings() -> None:
    """Run every script of findings/: each shows that a library or format still surprises as it says."""
    from devtools.findings import run_all

    raise typer.Exit(run_all(console))


@app.command("new-service")
def new_service(
    name: Annotated[str, typer.Argument(help="Small Latin letters, for example `fleet`.")],
    title: Annotated[str, typer.Option(help="Russian, for the API documents.")] = "Записи офиса",
    about: Annotated[str, typer.Option(help="English, for the tables of the documents.")] = "entries of an office",
) -> None:
    """Write a service that runs: code, migration, tests, containers, Kubernetes, documents."""
    from devtools.new_service.command import new_service as write

    write(console, name, title, about)


@app.command()
def mutate(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files or folders; all rules and the kernel without.")
    ] = None,
    sample: Annotated[int | None, typer.Option(help="Try only so many mutants, taken at random.")] = None,
    seed: Annotated[int, typer.Option(help="Take the same sample again.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Mutants tried at the same time.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Try only what the last run did not kill.")] = False,
) -> None:
    """Change the code in small ways and count the changes that the tests notice; takes from minutes to hours."""
    from devtools.mutation import run

    raise typer.Exit(run(console, paths or [], sample=sample, seed=seed, workers=workers, again=again))


@app.command()
def revision(
    service: Annotated[str, typer.Argument()],
    message: Annotated[str, typer.Option("--message", "-m")],
) -> None:
    """Write a migration from the difference between a service's models and its migrations."""
    from devtools.revision import write_revision

    write_revision(service, message)


@app.command(context_settings=PASS_ON)
def bench(context: typer.Context) -> None:
    """Run a benchmark by its name, for example `bench startup`; without a name, list them."""
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*") if path.suffix != ".toml")
    if not context.args or context.args[0] not in names:
        console.print(f"benchmarks: {', '.join(names)}")
        raise typer.Exit(0 if not context.args else 2)
    raise typer.Exit(run_module(f"benchmarks.{context.args[0]}", *context.args[1:]))


@app.command()
def faults(
    names: Annotated[list[str] | None, typer.Argument(help="For example F3; all scenarios when none is named.")] = None,
    seed: Annotated[int | None, typer.Option(help="Repeat the schedule of an earlier run.")] = None,
    scale: Annotated[Scale, typer.Option(help="`full` takes hours.")] = Scale.SMALL,
    part: Annotated[float, typer.Option(min=0, max=1, help="How much of the full scale, for example 0.1.")] = 1.0,
) -> None:
    """Kill, freeze and wipe what the system rests on, and compare the clients' answers with the databases."""
    from devtools.faults import run

    raise typer.Exit(run(console, names or [], seed, full=scale is Scale.FULL, part=part))


@app.command("secrets")
def make_secrets() -> None:
    """Write .env from .env.example with a random value for every secret, once."""
    write_secrets(ROOT / ".env")
    console.print("made .env, readable by you only; fill in what is still empty in it, and keep a copy")


@app.command()
def lock() -> None:
    """Write requirements.lock anew from pyproject.toml."""
    from devtools import bootstrap

    environment = bootstrap.tool_environment()
    uv = bootstrap.find_uv() or bootstrap.install_uv(environment)
    command = [uv, "pip", "compile", "pyproject.toml", "--group", "dev", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-header", "--no-annotate", "--output-file", "requirements.lock", "--quiet"]
    raise typer.Exit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)


def write_secrets(file: Path) -> None:
    """Write .env with random secrets.

    Raises OperatorError where the file exists: its passwords belong to the data that was made with it.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OperatorError(f"{file} exists already; its passwords belong to the data that was made with it") from None
    with os.fdopen(descriptor, "w") as made:
        made.write(with_secrets((ROOT / ".env.example").read_text()))


def with_secrets(example: str) -> str:
    """Fill every empty …_PASSWORD, …_SECRET and …_SECRETS_KEY; an SMS gateway gives its own password."""
    pattern = r"^((?!REGLAMENT_SMS)\w+_(?:PASSWORD|SECRET|SECRETS_KEY))=$"
    return re.sub(pattern, lambda match: f"{match[1]}={token_urlsafe(24)}", example, flags=re.MULTILINE)


def run_module(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False).returncode


def main() -> None:
    try:
        app(prog_name="./reglament")
    except OperatorError as error:
        # Not through rich: the message may contain brackets, and one line is to stay one line.
        print(f"reglament: {error}", file=sys.stderr)
        sys.exit(1)
