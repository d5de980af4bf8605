"""Segment's tracking API: six calls and their batch. Authenticate, normalise, produce, answer."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from aiohttp import web

from ingress.admission import Admission
from ingress.bodies import TooLargeError, read
from ingress.credentials import Credentials
from ingress.notes import Notes
from ingress.raw_items import find_items
from ingress.rejected import rejected_record
from processor.domain.events.limits import MAX_EVENT_BYTES, dump
from processor.domain.events.normalise import Arrival, Envelope, message_id_of, normalise
from processor.domain.events.parsing import parse
from processor.domain.events.times import format_ms
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing, Publisher

__all__ = ["MAX_BATCH_BYTES", "MAX_BATCH_ITEMS", "Tracking", "Visit", "key_of"]

MAX_BATCH_BYTES = 512_000
"""Bytes of one /batch body. Source: Segment says 500 KB; its ruby and php SDKs send up to 512,000."""
MAX_BATCH_ITEMS = 2_500
"""Events of one batch. Source: Segment HTTP API docs."""
MAX_MADE_BYTES = 16 * 1024 * 1024
"""Bytes that the events of one batch may grow to when each takes over the envelope's context."""

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Visit:
    """One request while it is here, and what is known of it so far."""

    __slots__ = ("body", "index", "key", "received_at", "received_ms", "request", "reserved", "source", "spans")

    def __init__(self, request: web.Request, received_ms: int) -> None:
        self.request = request
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


class Tracking:
    """The work behind the routes. Each method returns when every record is acknowledged, and raises otherwise."""

    def __init__(
        self,
        publisher: Publisher,
        credentials: Credentials,
        admission: Admission,
        notes: Notes,
        *,
        events: str,
        rejected: str,
    ) -> None:
        self._publisher = publisher
        self._credentials = credentials
        self._admission = admission
        self._notes = notes
        self._events = events
        self._rejected = rejected
        self._turn = asyncio.Lock()

    async def call(self, visit: Visit, type_: str) -> None:
        """One event; the path says its type. A bad one is kept on ``segment.rejected`` and raised."""
        item = await self._open(visit, MAX_EVENT_BYTES)

        def missing_id(_index: int, stamped: bool) -> str:
            return message_id_of(visit.source, 0, visit.body) if stamped else str(uuid4())

        try:
            if type(item) is dict:
                item["type"] = type_
            event = normalise(item, None, Arrival(visit.received_ms, visit.received_at, missing_id))
            record = Outgoing(key_of(event), dump(event), visit.headers())
        except RejectedError as reason:
            await self._keep(visit, visit.body, reason)
            raise
        self._notes.event(visit.source, event)
        await self._publisher.publish(self._events, (record,))

    async def batch(self, visit: Visit) -> None:
        """Many events. A bad item goes to ``segment.rejected`` and never fails the others."""
        document = await self._open(visit, MAX_BATCH_BYTES)
        items = document.get("batch") if type(document) is dict else None
        if type(items) is not list:
            reason = RejectedError("not_a_batch", 'A batch is a JSON object {"batch": […]}.')
            await self._keep(visit, visit.body, reason)
            raise reason
        envelope = Envelope.of(document.get("context"), document.get("integrations"), document.get("sentAt"))
        bad: list[Outgoing] = []
        await self._publisher.publish(self._events, self._good(visit, items, envelope, bad))
        if bad:
            await self._publisher.publish(self._rejected, bad)

    async def _open(self, visit: Visit, limit: int) -> Any:
        """The parsed body of an authenticated caller; what only a Basic caller can be told apart by is kept."""
        request = visit.request
        known = self._credentials.by_header(request.headers.get("Authorization"))
        if known is not None:
            visit.source, visit.key = known
        length = request.content_length
        inflated = length is None or "Content-Encoding" in request.headers
        size = limit if inflated or length is None else min(length, limit)
        self._admission.take(size)
        visit.reserved = size
        try:
            visit.body = await read(request, limit)
            if len(visit.body) > MAX_EVENT_BYTES:
                # One large body a turn of the event loop: acknowledgements and small requests come in between.
                async with self._turn:
                    await asyncio.sleep(0)
            document = parse(visit.body)
        except RejectedError as reason:
            if known is None:
                # Whose it is stands in the body, which cannot be read: nothing of a stranger is kept.
                if not isinstance(reason, TooLargeError):
                    self._credentials.by_body(None)
                raise
            await self._keep(visit, reason.start if isinstance(reason, TooLargeError) else visit.body, reason)
            raise
        if known is None:
            visit.source, visit.key = self._credentials.by_body(document)
        return document

    def _good(self, visit: Visit, items: list[Any], envelope: Envelope, bad: list[Outgoing]) -> Iterator[Outgoing]:
        """The records of the items that are events; those of the others go onto ``bad``.

        One at a time, each freed while it is in the cache: a request that waits for Kafka holds nothing of its body.
        """
        made = 0
        limit = self._publisher.max_record_bytes
        headers = visit.headers()
        arrival = Arrival(visit.received_ms, visit.received_at, _namer(visit))
        for index, item in enumerate(items):
            if index == MAX_BATCH_ITEMS:
                break
            items[index] = None
            try:
                event = normalise(item, envelope, arrival, index)
                value = dump(event)
                if len(value) > MAX_EVENT_BYTES:
                    _check_size(visit, index, len(value), limit)
                made += len(value)
                if made > MAX_MADE_BYTES:
                    raise RejectedError("too_large", "The batch's context makes its events too large together.")
            except RejectedError as reason:
                bad.append(visit.rejected(visit.raw(index), reason, index, limit // 2))
            else:
                self._notes.event(visit.source, event)
                yield Outgoing(key_of(event), value, headers)
        bad += self._beyond(visit, len(items))
        items.clear()
        visit.release()

    def _beyond(self, visit: Visit, count: int) -> list[Outgoing]:
        """Items over the limit: as many again one by one, and what is left in one piece, so that work is bounded."""
        reason = RejectedError("too_many", f"A batch holds at most {MAX_BATCH_ITEMS} events; send several batches.")
        limit = self._publisher.max_record_bytes // 2
        last = min(count, 2 * MAX_BATCH_ITEMS)
        records = [visit.rejected(visit.raw(at), reason, at, limit) for at in range(MAX_BATCH_ITEMS, last)]
        if count > last:
            records.append(visit.rejected(visit.rest(last), reason, last, limit))
        return records

    async def _keep(self, visit: Visit, raw: bytes, reason: RejectedError) -> None:
        record = visit.rejected(raw, reason, 0, self._publisher.max_record_bytes // 2)
        await self._publisher.publish(self._rejected, (record,))


def _namer(visit: Visit) -> Callable[[int, bool], str]:
    def missing_id(index: int, stamped: bool) -> str:
        return message_id_of(visit.source, index, visit.raw(index)) if stamped else str(uuid4())

    return missing_id


def _check_size(visit: Visit, index: int, made: int, limit: int) -> None:
    """An item counts as it came; with the envelope's context it may be twice as large."""
    if len(visit.raw(index)) > MAX_EVENT_BYTES or made > 2 * MAX_EVENT_BYTES or made > limit // 2:
        raise RejectedError("too_large", f"An event is over {MAX_EVENT_BYTES} bytes; send less in it.")


def key_of(event: dict[str, Any]) -> bytes:
    """A person's events share a partition, and so keep their order."""
    key: str = event.get("userId") or event.get("anonymousId") or event["messageId"]
    return key.encode(errors="replace")
