"""One request on its way through the ingress."""

import re
from collections.abc import Sequence

from aiohttp import web

from ingress.cors import foreign_origin
from ingress.raw_items import find_items
from ingress.rejected import rejected_record
from processor.domain.events.times import format_ms
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing

__all__ = ["Visit"]

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Visit:
    """One request while it is here, and what is known of it so far."""

    __slots__ = (
        "body",
        "key",
        "now_s",
        "origin",
        "received_at",
        "received_ms",
        "request",
        "reserved",
        "source",
        "spans",
    )

    def __init__(self, request: web.Request, received_ms: int, now_s: float) -> None:
        self.request = request
        self.now_s = now_s
        origin = request.headers.get("Origin")
        self.origin = origin if origin is None else foreign_origin(request, origin)
        self.received_ms = received_ms
        self.received_at = format_ms(received_ms)
        self.source = ""
        self.key = ""
        self.body = b""
        self.reserved = 0
        self.spans: list[tuple[int, int]] | None = None

    def raw(self, index: int) -> bytes:
        """The bytes of an item of the batch, as they came."""
        if self.spans is None:
            self.spans = find_items(self.body)
        start, end = self.spans[index]
        return self.body[start:end]

    def rest(self, index: int) -> bytes:
        """The bytes of all items from this one on, as an array."""
        if self.spans is None:
            self.spans = find_items(self.body)
        return b"[" + self.body[self.spans[index][0] : self.spans[-1][1]] + b"]"

    def release(self) -> None:
        """Nothing of the body is needed any more."""
        self.body = b""
        self.spans = None

    def headers(self) -> Sequence[tuple[str, bytes]]:
        headers = [("source", self.source.encode()), ("received-at", self.received_at.encode())]
        trace = self.request.headers.get("traceparent")
        if trace is not None and _TRACEPARENT.fullmatch(trace):
            headers.append(("traceparent", trace.encode()))
        return headers

    def rejected(self, raw: bytes, reason: RejectedError, index: int, limit: int) -> Outgoing:
        return rejected_record(
            raw,
            reason,
            source=self.source,
            key=self.key,
            received_at=self.received_at.encode(),
            index=index,
            limit=limit,
        )
