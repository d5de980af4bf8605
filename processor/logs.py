"""Log lines: event names in one place, one JSON object a line in production, readable on a terminal.

The names and the fields of each (``docs/operations.md``) are public surface: dashboards are built on them alone.
Never a payload, never a userId (often an e-mail), never a secret: a messageId says which event.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO, cast, get_args

import structlog

__all__ = ["EVENT_NAMES", "EventName", "Log", "configure", "get_log", "set_revision"]

EventName = Literal[
    "alarm_raised",
    "batch_applied",
    "batch_isolated",
    "batch_retried",
    "broker_restarted",
    "child_restarted",
    "child_started",
    "frozen_sessions_ended",
    "ingress_reported",
    "mapping_reported",
    "offsets_commit_failed",
    "partition_admitted",
    "partition_dropped",
    "partition_fenced",
    "partitions_assigned",
    "process_started",
    "process_stopped",
    "producer_replaced",
    "record_buried",
    "records_expired",
    "request_failed",
    "revision_applied",
    "revision_refused",
    "service_paused",
    "service_reported",
    "service_restarted",
    "service_resumed",
    "topic_recreated",
    "topics_subscribed",
]
EVENT_NAMES: frozenset[str] = frozenset(get_args(EventName))

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


_process: dict[str, object] = {"service": "isthmus", "instance": "", "revision": 0}


def _add_process(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in _process.items():
        line.setdefault(name, value)
    return line


class Log:
    """A logger that takes only the names above. ``bind`` returns one that carries more fields."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def bind(self, **fields: object) -> "Log":
        return Log(self._inner.bind(**fields))

    def debug(self, event: EventName, **fields: object) -> None:
        self._inner.debug(event, **fields)

    def info(self, event: EventName, **fields: object) -> None:
        self._inner.info(event, **fields)

    def warning(self, event: EventName, **fields: object) -> None:
        self._inner.warning(event, **fields)

    def error(self, event: EventName, **fields: object) -> None:
        self._inner.error(event, **fields)


def configure(format_: str, level: str, *, service: str, instance: str, stream: TextIO | None = None) -> None:
    """Set up the process's log once. ``format_`` is ``json``, ``console`` or ``auto`` (by whether it is a terminal)."""
    out = stream or sys.stderr
    console = format_ == "console" or (format_ == "auto" and out.isatty())
    # The usual traceback there shows local variables, and so bodies and keys.
    readable = structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = readable if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            _add_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    _process.update(service=service, instance=instance, revision=0)
    # Libraries complain in their own words; only what a person must see comes through, on the same stream.
    logging.basicConfig(stream=out, level=logging.ERROR, format="%(message)s", force=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def set_revision(revision: int) -> None:
    """Every later line of this process carries this revision of the configuration."""
    _process["revision"] = revision


def get_log(**fields: object) -> Log:
    return Log(cast("Any", structlog.get_logger()).bind(**fields))
