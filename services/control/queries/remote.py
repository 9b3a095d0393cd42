"""Query the broker's management and the other services over HTTP for head office's board (ADR 0010).

Nothing here raises for what others do: a missing answer is an answer.
"""

import asyncio
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import structlog
from pydantic import BaseModel, TypeAdapter

from services.control.schemas.reports import BrokerBoard, QueueBoard, ServiceBoard
from services.control.settings import ControlSettings
from shared.messaging.context import correlation_id

log = structlog.get_logger(__name__)

NO_ANSWER = "не отвечает"
UNREACHABLE_ERRORS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError)
"""Refused, late, an error status, or an answer that does not read as the promised one."""
COLUMNS = "name,messages,messages_ready,messages_unacknowledged,consumers"


class Queue(BaseModel):
    """A queue in RabbitMQ's answer; the counts are missing until its statistics have been collected once."""

    name: str
    messages: int = 0
    messages_ready: int = 0
    messages_unacknowledged: int = 0
    consumers: int = 0


class Operations(BaseModel):
    """The part of another service's `GET /operations` that the board shows."""

    outbox_backlog: int
    outbox_oldest_seconds: float
    parked: int
    retrying: int


async def query_services(
    http: httpx.AsyncClient, settings: ControlSettings, token: str
) -> tuple[BrokerBoard, list[ServiceBoard]]:
    """Query the broker and every service concurrently, with the rights of the caller.

    It takes `board_timeout_seconds` at most.
    """
    services = asyncio.gather(
        *(_query_service(http, service, url, token, settings) for service, url in settings.service_urls.items())
    )
    return await asyncio.gather(query_broker(http, settings), services)


async def query_broker(http: httpx.AsyncClient, settings: ControlSettings) -> BrokerBoard:
    """Return depth and consumers of every queue of our virtual host."""
    if not settings.amqp_management_url:
        return BrokerBoard(state="not_configured", state_label="адрес не задан", queues=[])
    virtual_host = unquote(urlsplit(settings.amqp_url).path)[1:] or "/"
    url = f"{settings.amqp_management_url.rstrip('/')}/api/queues/{quote(virtual_host, safe='')}?columns={COLUMNS}"
    try:
        answer = await _get(http, url, settings)
        queues = TypeAdapter(list[Queue]).validate_python(answer)
    except UNREACHABLE_ERRORS as error:
        log.warning("the broker's management does not answer", error=type(error).__name__)
        return BrokerBoard(state="no_answer", state_label=NO_ANSWER, queues=[])
    shown = [
        QueueBoard(
            name=queue.name,
            depth=queue.messages,
            ready=queue.messages_ready,
            unacknowledged=queue.messages_unacknowledged,
            consumers=queue.consumers,
        )
        for queue in sorted(queues, key=lambda queue: queue.name)
    ]
    return BrokerBoard(state="ok", state_label="отвечает", queues=shown)


async def _query_service(
    http: httpx.AsyncClient, service: str, url: str, token: str, settings: ControlSettings
) -> ServiceBoard:
    try:
        answer = await _get(http, f"{url}/operations", settings, {"Authorization": f"Bearer {token}"})
        operations = Operations.model_validate(answer)
    except UNREACHABLE_ERRORS as error:
        log.warning("a service does not answer the board", service=service, error=type(error).__name__)
        return ServiceBoard(
            service=service,
            state="no_answer",
            state_label=NO_ANSWER,
            outbox_backlog=None,
            outbox_oldest_seconds=None,
            parked=None,
            retrying=None,
        )
    return ServiceBoard(service=service, state="ok", state_label="отвечает", **operations.model_dump())


async def _get(
    http: httpx.AsyncClient, url: str, settings: ControlSettings, headers: dict[str, str] | None = None
) -> Any:
    """Return the JSON of a 200 answer.

    The outer time-out bounds an answer that trickles in, which httpx would wait for.
    """
    async with asyncio.timeout(settings.board_timeout_seconds):
        response = await http.get(url, headers={"X-Correlation-ID": correlation_id.get(), **(headers or {})})
        response.raise_for_status()
        return response.json()
