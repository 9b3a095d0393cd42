"""Structured logs with the ids that tie a request to its consequences."""

import logging
import sys
from contextlib import suppress
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.messaging.context import causation_id, correlation_id


def _add_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if correlation_id.get():
        event["correlation_id"] = correlation_id.get()
    if causation_id.get():
        event["causation_id"] = causation_id.get()
    return event


class _BestEffortStream:
    """A stream without errors: a full disk must not end the loop that only told of it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(Exception):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(Exception):
            self._stream.flush()


def configure(format_: Literal["console", "json"], level: str) -> None:
    """One format for our own and the libraries' logs, to standard error.

    Ours are rendered and written at once: through the standard library each line of a request would cost twice as much.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if format_ == "json"
        # Its own tracebacks would show what lies in the variables of each frame: people's data.
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _BestEffortStream(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These tell of every message and every request; ours say it with more context.
    for verbose_logger in ("aiormq", "aio_pika", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(verbose_logger).setLevel(logging.WARNING)
