"""`./reglament migrate`: on the running system, on a server that is named, or on the private data at rest."""

import os
from contextlib import ExitStack

from devtools.supervisor import environment as variables
from devtools.supervisor.packages import ensure_servers
from devtools.supervisor.postgres import PostgresServer
from devtools.supervisor.state import DataDirectory
from devtools.supervisor.system import HOST, ReportProgress, prepare_databases
from shared.base.settings import SERVICES


def migrate(directory: DataDirectory, report_progress: ReportProgress) -> None:
    """Run Alembic in a process of its own. Raises OperatorError with the end of its output."""
    running = directory.running()
    if running is not None:
        prepare_databases(directory, {**os.environ, **running.environment})
        report_progress(f"the databases of {running.url} are up to date")
        return
    with ExitStack() as stack:
        stack.enter_context(directory.locked())
        url = os.environ.get(variables.SUPERUSER)
        if not url:
            ensure_servers(report_progress, directory.logs / "apt.log", database=True)
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
            directory, variables.complete_environment(urls, directory.secret, host=HOST, port=8000, service_ports=ports)
        )
        report_progress("the databases are up to date")
