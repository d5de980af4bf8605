"""Bodies: read within a limit. ``processor.domain.events.parsing`` makes JSON of them, whatever their type says."""

import asyncio

import aiohttp
from aiohttp import web

from processor.errors import RejectedError, UnavailableError

__all__ = ["MAX_RATIO", "SlowBodyError", "TooLargeError", "discard", "read"]

MAX_RATIO = 250
"""Times that a body may be inflated, beyond its first 64 KiB. Batches of SDKs stay below 150: every event has a name of
its own that nothing compresses; what inflates a thousandfold, deflate's most, is made to do harm."""
_RATIO_FREE_BYTES = 64 * 1024


class TooLargeError(RejectedError):
    """The body is over the limit. ``start`` is what was read of it."""

    def __init__(self, limit: int, start: bytes) -> None:
        super().__init__("too_large", f"The body is over {limit} bytes, inflated; send less at once.")
        self.start = start


class SlowBodyError(UnavailableError):
    """The body did not come to its end in time: the client may send it again."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"The body did not arrive within {timeout_s:g} s; send it again.", "slow_body")


async def read(request: web.Request, limit: int, timeout_s: float) -> bytes:
    """The body, inflated.

    Raises ``RejectedError``: ``too_large``, ``inflates_too_much``, or ``bad_encoding`` when it cannot be inflated.
    Raises ``SlowBodyError``. Not ``request.read()``, whose limit belongs to the whole application and answers 413,
    which SDKs take for the end.
    """
    content = request.content
    try:
        if content.is_eof():
            # All of a small body is here already, and most bodies are small.
            body = content.read_nowait()
            if len(body) > limit:
                raise TooLargeError(limit, body[:limit])
            if len(body) > _RATIO_FREE_BYTES:
                _check_ratio(content, len(body))
            return body
        async with asyncio.timeout(timeout_s):
            return await _read_on(content, limit)
    except TimeoutError:
        raise SlowBodyError(timeout_s) from None
    except (web.RequestPayloadError, aiohttp.http_exceptions.HttpProcessingError) as error:
        raise RejectedError("bad_encoding", "The body is not encoded as its headers say.") from error


async def _read_on(content: aiohttp.StreamReader, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise TooLargeError(limit, b"".join(chunks)[:limit])
        if size > _RATIO_FREE_BYTES:
            _check_ratio(content, size)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _check_ratio(content: aiohttp.StreamReader, inflated: int) -> None:
    if inflated > MAX_RATIO * content.total_raw_bytes:
        raise RejectedError("inflates_too_much", f"The body inflates more than {MAX_RATIO} times; compress less of it.")


async def discard(request: web.Request, limit: int, timeout_s: float) -> None:
    """Read a body that nobody wants, so that the next request finds the connection clean. Raises as ``read`` does."""
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            while chunk := await request.content.readany():
                size += len(chunk)
                if size > limit:
                    raise TooLargeError(limit, b"")
    except TimeoutError:
        raise SlowBodyError(timeout_s) from None
    except (web.RequestPayloadError, aiohttp.http_exceptions.HttpProcessingError) as error:
        raise RejectedError("bad_encoding", "The body is not encoded as its headers say.") from error
