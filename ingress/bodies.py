"""Bodies: read within a limit, then parsed as JSON whatever the content type says."""

import json
import math
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from processor.errors import RejectedError

__all__ = ["TooLargeError", "parse", "read"]


class TooLargeError(RejectedError):
    """The body is over the limit. ``start`` is what was read of it."""

    def __init__(self, limit: int, start: bytes) -> None:
        super().__init__("too_large", f"The body is over {limit} bytes, inflated; send less at once.")
        self.start = start


async def read(request: web.Request, limit: int) -> bytes:
    """The body, inflated. Raises ``RejectedError``: ``too_large``, or ``bad_encoding`` when it cannot be inflated.

    Not ``request.read()``, whose limit belongs to the whole application and answers 413, which SDKs take for the end.
    """
    content = request.content
    chunks: list[bytes] = []
    size = 0
    try:
        if content.is_eof():
            # All of a small body is here already, and most bodies are small.
            body = content.read_nowait()
            if len(body) > limit:
                raise TooLargeError(limit, body[:limit])
            return body
        while chunk := await content.readany():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise TooLargeError(limit, b"".join(chunks)[:limit])
    except (web.RequestPayloadError, aiohttp.http_exceptions.HttpProcessingError) as error:
        raise RejectedError("bad_encoding", "The body is not encoded as its headers say.") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse(body: bytes) -> Any:
    """JSON of a body. Raises ``RejectedError``: ``not_json`` or ``too_deep``.

    Half surrogate pairs and numbers beyond a double are no fault of the whole body: what holds them is refused later.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _parse_exactly(body)


def _parse_exactly(body: bytes) -> Any:
    """What orjson refuses as a whole, so that the one bad item of a batch is found and the others pass."""
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_int=_number, parse_float=_number, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise RejectedError("too_deep", "Objects and arrays nest too deeply; flatten them.") from None
    except ValueError:
        raise RejectedError("not_json", "The body is not valid JSON in UTF-8.") from None


def _number(text: str) -> int | float:
    if len(text) < 19 and text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    # orjson would write an infinity as null; an integer that large it refuses, and the event is then looked at.
    if math.isinf(number):
        return 2**65
    return int(text) if text.lstrip("-").isdigit() and -(2.0**63) <= number < 2.0**64 else number


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
