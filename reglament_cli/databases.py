"""`./reglament migrate`: on the running system, on a server that is named, or on the private data at rest."""

import os
from contextlib import ExitStack

from reglament_cli import environment as variables
from reglament_cli.packages import ensure_servers
from reglament_cli.postgres import PostgresServer
from reglament_cli.state import DataDirectory
from reglament_cli.system import HOST, Tell, prepare_databases
from shared.settings import SERVICES


def migrate(directory: DataDirectory, tell: Tell) -> None:
    """Raises OperatorError with the end of Alembic's output."""
    running = directory.running()
    if running is not None:
        prepare_databases(directory, {**os.environ, **running.environment})
        tell(f"the databases of {running.url} are up to date")
        return
    with ExitStack() as stack:
        stack.enter_context(directory.locked())
        url = os.environ.get(variables.SUPERUSER)
        if not url:
            ensure_servers(tell, directory.logs / "apt.log", database=True)
            log = directory.logs / "postgres.log"
            server = PostgresServer(directory.postgres, log, durable=True, password=directory.secret("postgres"))
            stack.callback(server.stop)
            server.start()
            server.wait_until_ready()
            url = server.url
        # No port is listened on: the addresses only complete what the settings require.
        ports = dict.fromkeys(SERVICES, 8000)
        urls = {variables.SUPERUSER: url}
        prepare_databases(
            directory, variables.complete(urls, directory.secret, host=HOST, port=8000, service_ports=ports)
        )
        tell("the databases are up to date")
