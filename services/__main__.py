"""`python -m services …`: serve, provision, migrate."""

import asyncio
import os
from typing import Annotated, Optional

import typer

from shared.base.settings import SERVICES, DatabaseUrls, Settings
from shared.persistence import migrate, provision
from shared.runtime import logging

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


if __name__ == "__main__":
    cli()
