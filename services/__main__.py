"""`python -m services …`: serve, provision, migrate, revision, openapi."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from shared import logging, migrate, provision
from shared.settings import SERVICES, DatabaseUrls, Settings

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Names = Annotated[Optional[list[str]], typer.Argument(help="services; all when none is named")]  # noqa: UP045 (typer)


def _chosen(names: list[str] | None) -> list[str]:
    unknown = set(names or ()) - set(SERVICES)
    if unknown:
        raise typer.BadParameter(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    return list(names or SERVICES)


@cli.command()
def serve(
    names: Names = None,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8000,
) -> None:
    """Serve some or all services in this process, each under /api/<name>."""
    from services import serving

    settings = Settings()
    logging.configure(settings.log_format, settings.log_level)
    serving.serve(serving.build_root(_chosen(names)), host, port)


@cli.command("provision")
def provision_command(names: Names = None) -> None:
    """Create databases and roles, as the superuser of REGLAMENT_DATABASE_URL."""

    async def run() -> None:
        for name in _chosen(names):
            await provision.provision(os.environ["REGLAMENT_DATABASE_URL"], DatabaseUrls(name))

    asyncio.run(run())


@cli.command("migrate")
def migrate_command(names: Names = None) -> None:
    """Bring the databases to the newest schema, as their owners."""

    async def run() -> None:
        for name in _chosen(names):
            await migrate.upgrade(f"services.{name}", DatabaseUrls(name).owner)
            typer.echo(f"{name}: {migrate.head(f'services.{name}')}")

    asyncio.run(run())


@cli.command()
def revision(
    service: Annotated[str, typer.Argument()],
    message: Annotated[str, typer.Option("--message", "-m")],
) -> None:
    """Write a migration from the difference between models and a scratch database on REGLAMENT_DATABASE_URL."""
    from shared.testing.databases import scratch_database

    async def run() -> None:
        async with scratch_database(os.environ["REGLAMENT_DATABASE_URL"], service, "revision") as urls:
            package = f"services.{service}"
            versions = migrate.location(package) / "versions"
            if versions.is_dir() and any(versions.glob("*.py")):
                await migrate.upgrade(package, urls.owner)
            await migrate.revise(package, urls.owner, message)

    asyncio.run(run())


@cli.command()
def openapi(check: Annotated[bool, typer.Option("--check")] = False) -> None:
    """Write docs/api/*.json (OpenAPI and AsyncAPI), or with --check exit 1 when they are not up to date."""
    from services.documents import documents

    directory = Path(__file__).parent.parent / "docs" / "api"
    stale = []
    for name, text in documents().items():
        path = directory / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check and stale:
        typer.echo(f"not up to date: {', '.join(stale)}; run ./reglament openapi", err=True)
        raise typer.Exit(1)
    typer.echo(f"{'written' if stale else 'up to date'}: {', '.join(stale) or 'docs/api'}")


if __name__ == "__main__":
    cli()
