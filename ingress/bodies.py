"""Bodies: read within a limit. ``processor.domain.events.parsing`` makes JSON of them, whatever their type says."""

import aiohttp
from aiohttp import web

from processor.errors import RejectedError

__all__ = ["TooLargeError", "read"]


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
