"""The environment variables that the services read, made from servers, ports and secrets."""

import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

from devtools.supervisor.processes import preferred_port
from shared.base.settings import SERVICES

SUPERUSER = "REGLAMENT_DATABASE_URL"
BROKER = "REGLAMENT_AMQP_URL"
BROKER_MANAGEMENT = "REGLAMENT_AMQP_MANAGEMENT_URL"
# Part of the variable's name -> suffix of the role's name.
DATABASE_ROLES = {"": "app", "WORKER_": "worker", "OWNER_": "owner"}
MAILBOX_SMTP_PORT, SMS_PORT = 1025, 8026
HEAD_OFFICE_LOGIN = "head.office@reglament.example"

Secret = Callable[[str], str]


def database_urls(superuser_url: str, secret: Secret, *, prefix: str = "reglament") -> dict[str, str]:
    """Three URLs per service (application, worker, owner), each with a password of its own."""
    parts = urlsplit(superuser_url)
    host = parts.netloc.rpartition("@")[2]
    urls = {}
    for service in SERVICES:
        for variable, suffix in DATABASE_ROLES.items():
            role = f"{prefix}_{service}_{suffix}"
            urls[f"REGLAMENT_{service.upper()}_{variable}DATABASE_URL"] = urlunsplit(
                parts._replace(netloc=f"{role}:{secret(role)}@{host}", path=f"/{prefix}_{service}")
            )
    return urls


def complete_environment(
    servers: Mapping[str, str],
    secret: Secret,
    *,
    host: str,
    port: int,
    service_ports: Mapping[str, int],
    prefix: str = "reglament",
) -> dict[str, str]:
    """Our own environment with all that the services need; a variable that the operator has set wins over ours."""
    ours = {
        **servers,
        **database_urls(servers[SUPERUSER], secret, prefix=prefix),
        "REGLAMENT_PUBLIC_URL": f"http://{host}:{port}",
        "REGLAMENT_CONTROL_URL": f"http://{host}:{service_ports['control']}/api/control",
        "REGLAMENT_CLIENTS_URL": f"http://{host}:{service_ports['clients']}/api/clients",
        "REGLAMENT_HEAD_OFFICE_LOGIN": HEAD_OFFICE_LOGIN,
        "REGLAMENT_HEAD_OFFICE_PASSWORD": secret("head_office"),
        "REGLAMENT_ACQUIRER_SECRET": secret("acquirer"),
        "REGLAMENT_SMTP_URL": f"smtp://{host}:{preferred_port(MAILBOX_SMTP_PORT)}",
        "REGLAMENT_SMS_URL": f"http://{host}:{preferred_port(SMS_PORT)}",
        "REGLAMENT_SMS_LOGIN": "reglament",
        "REGLAMENT_SMS_PASSWORD": secret("sms"),
        "REGLAMENT_WEBHOOK_SECRET": secret("webhook"),
        "REGLAMENT_SECRETS_KEY": secret("secrets_key"),
        "REGLAMENT_LOG_FORMAT": "console",
        # Real letters and SMS keep to the quiet hours.
        "REGLAMENT_DEMO": "0" if os.environ.keys() & {"REGLAMENT_SMTP_URL", "REGLAMENT_SMS_URL"} else "1",
    }
    return {**ours, **os.environ}


def for_service(service: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Least privilege between processes: no service is told the others' databases."""
    return {
        name: value
        for name, value in without_superuser(environment).items()
        if not name.endswith("_DATABASE_URL") or name.startswith(f"REGLAMENT_{service.upper()}_")
    }


def without_superuser(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out the superuser's password: a long-running process never holds it."""
    return {name: value for name, value in environment.items() if name != SUPERUSER}
