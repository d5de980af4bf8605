"""Qualtrics' envelope around every answer of the API, and the one place from an error to a status.

A caller never sees a stack trace, and can find the line of the log by ``requestId``.
Source of the shapes: spec/qualtrics-directory.md, section 1.
"""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import orjson
from aiohttp import web
from pydantic import BaseModel

from processor.api.refusals import STATUSES, RefusedError, spoken
from processor.errors import RejectedError, UnavailableError
from processor.logs import get_log

__all__ = ["REQUEST_ID", "RETRY_AFTER_S", "Handler", "enveloped"]

REQUEST_ID = web.RequestKey("request_id", str)
"""By it the caller, the log and, of a write, the contact's "why" name the request."""
RETRY_AFTER_S = 2
"""Seconds that a caller is asked to wait while the database is away."""

Handler = Callable[[web.Request], Awaitable[object]]
"""Returns what stands under ``result``."""

_HTTP_CODES = {405: "method_not_allowed", 413: "too_large"}


def enveloped(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler as aiohttp wants it: its value in the envelope, every error of it as well."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request_id = request[REQUEST_ID] = str(uuid4())
        try:
            result = await handler(request)
        except RefusedError as error:
            return _failure(
                request_id, error.status, error.code, error.message, headers=error.headers, details=error.details
            )
        except RejectedError as error:
            return _failure(request_id, STATUSES.get(error.code, 400), error.code, spoken(error.message))
        except UnavailableError as error:
            _log_failure(request, request_id, error, error.code)
            message = "The directory is away for a moment; the same request later is right."
            return _failure(request_id, 503, error.code, message, headers={"Retry-After": str(RETRY_AFTER_S)})
        except web.HTTPException as error:
            code = _HTTP_CODES.get(error.status, "refused")
            return _failure(request_id, error.status, code, f"{error.reason}.")
        except Exception as error:  # noqa: BLE001 - the rim: whatever it is, the caller gets an answer and we a line
            _log_failure(request, request_id, error, "internal_error")
            return _failure(request_id, 500, "internal_error", "A fault of ours; the log has it by this requestId.")
        meta = {"httpStatus": _status(200), "requestId": request_id}
        return _response(200, {"result": result, "meta": meta})

    return handle


def _failure(
    request_id: str,
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    details: Mapping[str, object] | None = None,
) -> web.Response:
    error = {"errorMessage": message, "errorCode": code, **(details or {})}
    meta = {"httpStatus": _status(status), "requestId": request_id, "error": error}
    return _response(status, {"meta": meta}, headers)


def _response(status: int, body: object, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body, default=_written),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _written(value: object) -> object:
    """What orjson does not know itself."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    raise TypeError(type(value).__name__)


def _status(status: int) -> str:
    return f"{status} - {HTTPStatus(status).phrase}"


def _log_failure(request: web.Request, request_id: str, error: Exception, code: str) -> None:
    """The pattern of the route and the places in the code: paths hold ids, and messages of errors may hold data."""
    resource = request.match_info.route.resource
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    get_log().error(
        "request_failed",
        method=request.method,
        route=resource.canonical if resource is not None else "",
        code=code,
        error=type(error).__name__,
        request_id=request_id,
        where=[f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    )
