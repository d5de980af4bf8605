"""What ingress answers: one table from error to status, and bodies that every SDK can read.

python reads ``code`` and ``message``, ruby ``error``, java ``success``. Source: spec, sections 7 and 8.
"""

import time
from email.utils import formatdate

import orjson
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from ingress.bodies import SlowBodyError
from ingress.callers import ForbiddenError, UnknownWorkflowError
from ingress.credentials import UnauthorizedError
from ingress.gate import ForeignOriginError, OverLimitError
from ingress.reception import OverCapError
from processor.errors import RejectedError, UnavailableError
from processor.logs import Log

__all__ = [
    "STATUSES",
    "answer_error",
    "answer_missing",
    "answer_refusal",
    "answer_success",
    "status_of",
    "waiting_headers",
]

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnauthorizedError, 401),
    (ForbiddenError, 403),
    (ForeignOriginError, 403),
    (UnknownWorkflowError, 404),
    (OverCapError, 413),
    (OverLimitError, 429),
    (SlowBodyError, 408),
    (RejectedError, 400),
    (UnavailableError, 503),
)
"""The first that matches counts; anything else is a fault of ours, 500."""

_SUCCESS = b'{"success":true}'
_JSON = "application/json"


class _Acknowledged(web.StreamResponse):
    """``200 {"success":true}`` to a caller of HTTP/1.1 who keeps the connection: bytes that are made once a second.

    An ordinary response builds and encodes its headers anew each time, a tenth of what a request costs. This one has
    no state of its own, so one answers all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = 0
        self._bytes = b""

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the caller has gone")
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._bytes = (
                f"HTTP/1.1 200 OK\r\nContent-Type: {_JSON}\r\nContent-Length: {len(_SUCCESS)}\r\n"
                f"Date: {formatdate(second, usegmt=True)}\r\n\r\n"
            ).encode() + _SUCCESS
        transport.write(self._bytes)
        await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything has been written."""


_ACKNOWLEDGED = _Acknowledged()


def answer_success(request: web.Request, *, plain: bool = True) -> web.StreamResponse:
    """``plain``: nobody wants to put headers of his own onto it."""
    if plain and request.keep_alive and request.version == HttpVersion11:
        return _ACKNOWLEDGED
    return web.Response(body=_SUCCESS, content_type=_JSON)


def status_of(error: Exception) -> int:
    """The first line of the table that fits; 500 when none does."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def waiting_headers(error: Exception) -> dict[str, str]:
    """When to send again, in whole seconds, for who was not refused for good."""
    match status_of(error):
        case 503:
            return {"Retry-After": "1"}
        case 429 if isinstance(error, OverLimitError):
            return {"Retry-After": str(error.after_s), "X-RateLimit-Reset": str(error.after_s)}
    return {}


def answer_error(error: Exception, log: Log) -> web.Response:
    """The answer to a failed request; what nobody foresaw is logged, and told without details."""
    status = status_of(error)
    if status != 500:
        return answer_refusal(status, getattr(error, "code", "error"), str(error), waiting_headers(error))
    log.error("request_failed", error=type(error).__name__, exc_info=error)
    return answer_refusal(500, "internal_error", "Something went wrong here; the log of this process says what.")


def answer_missing(method: str | None = None) -> web.Response:
    """No such path; or a known one, which takes ``method`` and was asked by another."""
    if method is not None:
        allowed = f"{method}, HEAD, OPTIONS" if method == "GET" else f"{method}, OPTIONS"
        return answer_refusal(405, "method_not_allowed", f"This path takes {method}.", {"Allow": allowed})
    return answer_refusal(404, "not_found", "There is no such path; /v1/openapi.json lists all.")


def answer_refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """A body that every SDK can read. A 4xx without these keys looks to python's like one to repeat."""
    body = {"success": False, "code": code, "message": message, "error": message}
    return web.Response(status=status, body=orjson.dumps(body), content_type=_JSON, headers=headers)
