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
    """A stream that swallows write errors: a full disk must not end the loop that logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(Exception):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(Exception):
            self._stream.flush()


def configure(format_: Literal["console", "json"], level: str) -> None:
    """Set up one format for our own and the libraries' logs, to standard error.

    Our own are rendered and written directly: through the standard library each line would cost twice as much.
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
        # structlog's own tracebacks would show the variables of each frame, personal data among them.
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
    # These log every message and request; our lines carry more context.
    for verbose_logger in ("aiormq", "aio_pika", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(verbose_logger).setLevel(logging.WARNING)
