"""The body of a call: read within a limit, its depth counted, parsed, and held to what a text column can take."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from processor.api.depth import check_depth
from processor.api.refusals import refused
from processor.domain.events.limits import MAX_DEPTH, check
from processor.domain.events.parsing import parse
from processor.errors import RejectedError

__all__ = ["BODY_CODES", "MAX_BODY_BYTES", "beside", "read_json"]

T = TypeVar("T")

_SMALL_BYTES = 64 * 1024
"""Ingress may live on the same loop, and the worst 5 MiB were measured to take 4 s; of this size they take 50 ms."""
BODY_CODES = ("QVAL_3", "bad_encoding", "bad_number", "bad_text", "too_deep", "too_large")
"""What any body can be refused with."""

MAX_BODY_BYTES = 5 * 1024 * 1024
"""Of one call, inflated. Source: spec/qualtrics-directory.md, section 8, upload size."""


async def read_json(request: web.Request) -> tuple[Any, int]:
    """The body as JSON, and its bytes. Raises ``RejectedError`` with one of ``BODY_CODES``."""
    body = await _read(request)
    return await beside(len(body), lambda: _parsed(body)), len(body)


async def beside(size: int, work: Callable[[], T]) -> T:
    """Work on a body of that many bytes: in a thread where it could hold up the loop."""
    return work() if size <= _SMALL_BYTES else await asyncio.to_thread(work)


def _parsed(body: bytes) -> Any:
    check_depth(body, MAX_DEPTH)
    try:
        document = parse(body)
    except RejectedError as error:
        if error.code == "not_json":
            raise refused("QVAL_3", "The body must be JSON in UTF-8.") from None
        raise
    check(body, document)
    return document


async def _read(request: web.Request) -> bytes:
    """A copy of the request, because the limit of the whole application is another one."""
    try:
        return await request.clone(client_max_size=MAX_BODY_BYTES).read()
    except web.HTTPRequestEntityTooLarge:
        raise refused("too_large", f"The body is over {MAX_BODY_BYTES} bytes; send less at once.") from None
    except (web.RequestPayloadError, aiohttp.http_exceptions.HttpProcessingError):
        raise refused("bad_encoding", "The body is not encoded as its headers say.") from None
