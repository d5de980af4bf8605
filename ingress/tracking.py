"""Segment's tracking API: six calls and their batch. Authenticate, normalise, produce, answer."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from ingress.bodies import TooLargeError, read
from ingress.credentials import Credentials
from ingress.pixel import Asked, read_query
from ingress.reception import Reception
from ingress.visit import Visit
from processor.domain.events.limits import MAX_EVENT_BYTES, dump
from processor.domain.events.normalise import Arrival, Envelope, message_id_of, normalise
from processor.domain.events.parsing import parse
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing

__all__ = ["MAX_BATCH_BYTES", "MAX_BATCH_ITEMS", "Tracking", "key_of"]

MAX_BATCH_BYTES = 512_000
"""Bytes of one /batch body. Source: Segment says 500 KB; its ruby and php SDKs send up to 512,000."""
MAX_BATCH_ITEMS = 2_500
"""Events of one batch. Source: Segment HTTP API docs."""
MAX_MADE_BYTES = 16 * 1024 * 1024
"""Bytes that the events of one batch may grow to when each takes over the envelope's context."""


class Tracking:
    """The work behind the routes. Each method returns when every record is acknowledged, and raises otherwise."""

    def __init__(self, reception: Reception, credentials: Credentials) -> None:
        self._credentials = credentials
        self._publisher = reception.publisher
        self._admission = reception.admission
        self._gate = reception.gate
        self._notes = reception.notes
        self._body_timeout_s = reception.settings.body_timeout_s
        self._events = reception.settings.topic("segment.events")
        self._rejected = reception.settings.topic("segment.rejected")
        self._turn = asyncio.Lock()

    async def call(self, visit: Visit, type_: str, asked: Asked | None = None) -> None:
        """One event, of the body or of an address; the path says its type.

        A bad one is kept on ``segment.rejected`` and raised.
        """
        item = await self._open(visit, MAX_EVENT_BYTES) if asked is None else asked.item
        self._gate.spend(visit.source, 1, visit.now_s)

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

    async def pixel(self, visit: Visit, type_: str) -> None:
        """One event as an address."""
        asked = read_query(visit.request.query)
        visit.body = asked.raw
        known = self._credentials.by_header(visit.request.headers.get("Authorization"))
        visit.source, visit.key = known if known is not None else self._credentials.by_body(asked.item)
        self._gate.enter(visit.source, visit.origin, visit.now_s)
        if asked.fault is not None:
            await self._keep(visit, asked.raw, asked.fault)
            raise asked.fault
        await self.call(visit, type_, asked)

    async def batch(self, visit: Visit) -> None:
        """Many events. A bad item goes to ``segment.rejected`` and never fails the others."""
        document = await self._open(visit, MAX_BATCH_BYTES)
        items = document.get("batch") if type(document) is dict else None
        if type(items) is not list:
            reason = RejectedError("not_a_batch", 'A batch is a JSON object {"batch": […]}.')
            await self._keep(visit, visit.body, reason)
            raise reason
        self._gate.spend(visit.source, len(items), visit.now_s)
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
            self._gate.enter(visit.source, visit.origin, visit.now_s)
        length = request.content_length
        inflated = length is None or "Content-Encoding" in request.headers
        size = limit if inflated or length is None else min(length, limit)
        self._admission.take(size)
        visit.reserved = size
        try:
            visit.body = await read(request, limit, self._body_timeout_s)
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
            self._gate.enter(visit.source, visit.origin, visit.now_s)
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
