"""Segment's webhooks: ``POST /webhooks/segment/SOURCE``, one event or an array of them.

Source: spec/segment-webhook-destination.md. One status answers a whole array, so a bad element never fails it; and the
signature covers the first element alone, so an array needs a second secret.
"""

import asyncio
from collections.abc import Iterator, Sequence
from uuid import uuid4

from ingress.callers import Callers
from ingress.credentials import Credentials, UnauthorizedError, UnknownKeyError
from ingress.raw_arrays import cut, is_array, is_closed
from ingress.reception import OverCapError, Reception
from ingress.tracking import key_of
from ingress.visit import Visit
from processor.domain.events.limits import MAX_EVENT_BYTES, dump
from processor.domain.events.normalise import Arrival, message_id_of, normalise
from processor.domain.events.parsing import parse
from processor.domain.signing import same_text, verify_webhook
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing
from processor.ports.revisions import HttpSource

__all__ = ["MAX_ELEMENTS", "MAX_ELEMENT_BYTES", "StrangerError", "Webhook"]

MAX_ELEMENTS = 4_000
"""Events of one array. Source: Segment's page of Webhook (Actions), "batch size"."""
MAX_ELEMENT_BYTES = 2 * MAX_EVENT_BYTES
"""Bytes of one event here: Segment adds to what it has taken as 32 KB, and a mapping may repeat parts of it."""
Headers = Sequence[tuple[str, bytes]]
_CHUNK_BYTES = 512 * 1024
"""Of elements that are parsed and written together; other requests come in between two such."""


class StrangerError(UnauthorizedError):
    """The same whether there is no such source or its secret was not shown."""

    def __init__(self) -> None:
        super().__init__(
            "unauthorized",
            "Neither a right X-Signature nor, for a source without a signing secret, its write key: check the secret.",
        )


class Webhook:
    """Returns when every record is acknowledged, and raises otherwise."""

    def __init__(self, reception: Reception, callers: Callers, credentials: Credentials) -> None:
        self._reception = reception
        self._callers = callers
        self._credentials = credentials

    async def deliver(self, visit: Visit) -> None:
        source = self._callers.source(visit.request.match_info["source"])
        if source is not None:
            visit.source = source.id  # a wrong secret is counted where its owner looks
        signature = self._credential(visit, source)
        try:
            body = await self._reception.read(visit, self._reception.settings.webhook_max_body_bytes)
        except OverCapError:
            raise
        except RejectedError as reason:
            if signature is None:  # else nothing shows who sent it
                await self._reception.keep(visit, b"", reason)
            raise
        array = is_array(body)
        if signature is not None:
            self._verify(source, signature, _signed(body, array=array))
        if array:
            self._allow_array(visit, source)
        self._reception.let_in(visit, lambda: sum(1 for _ in cut(body, len(body))) if array else 1)
        await self._reception.in_time(self._array(visit) if array else self._single(visit))

    def _credential(self, visit: Visit, source: HttpSource | None) -> str | None:
        """The signature that is to be verified; ``None`` for a caller who has shown the write key."""
        headers = visit.request.headers
        if source is None or source.signing_secrets is not None:
            signature = headers.get("X-Signature")
            if signature is None:
                raise StrangerError
            return signature
        try:
            known = self._credentials.by_header(headers.get("Authorization"))
        except UnknownKeyError:
            known = None
        if known is None or known[0] != source.id:
            raise StrangerError
        visit.key = known[1]
        return None

    def _verify(self, source: HttpSource | None, signature: str, signed: bytes) -> None:
        secrets = () if source is None or source.signing_secrets is None else source.signing_secrets
        # The signature of nothing proves nothing: Segment signs no empty body.
        if not verify_webhook(secrets, signature, signed) or not signed:
            raise StrangerError

    def _allow_array(self, visit: Visit, source: HttpSource | None) -> None:
        shown = visit.request.headers.get("X-Isthmus-Batch-Token", "")
        if source is None or not same_text(source.batch_tokens, shown):
            raise UnauthorizedError(
                "batch_token", "An array needs the source's batch_token in the header X-Isthmus-Batch-Token."
            )

    async def _single(self, visit: Visit) -> None:
        try:
            record = self._record(visit, visit.body, visit.headers())
        except RejectedError as reason:
            await self._reception.keep(visit, visit.body, reason)
            raise
        await self._reception.publish("segment.events", (record,))

    async def _array(self, visit: Visit) -> None:
        """A bad element is kept, and never fails the others."""
        body = visit.body
        if not is_closed(body):
            reason = RejectedError("not_json", "The body is an array without an end.")
            await self._reception.keep(visit, body, reason)
            raise reason
        for good, bad in self._chunks(visit, body):
            if good:
                await self._reception.publish("segment.events", good)
            if bad:
                await self._reception.publish("segment.rejected", bad)
            await asyncio.sleep(0)

    def _chunks(self, visit: Visit, body: bytes) -> Iterator[tuple[list[Outgoing], list[Outgoing]]]:
        """The records of the elements, and those that keep the bad ones, some at a time."""
        good: list[Outgoing] = []
        bad: list[Outgoing] = []
        size = 0
        headers = visit.headers()
        for index, (start, end) in enumerate(cut(body, len(body))):
            if index == MAX_ELEMENTS:
                # What is left stays in one piece, so that the work is bounded.
                reason = RejectedError("too_many", f"An array holds at most {MAX_ELEMENTS} events.")
                bad.append(self._reception.rejected(visit, b"[" + body[start:], reason, index))
                break
            raw = body[start:end]
            size += len(raw)
            try:
                good.append(self._record(visit, raw, headers))
            except RejectedError as reason:
                bad.append(self._reception.rejected(visit, raw, reason, index))
            if size >= _CHUNK_BYTES:
                yield good, bad
                good, bad, size = [], [], 0
        yield good, bad

    def _record(self, visit: Visit, raw: bytes, headers: Headers) -> Outgoing:
        """Raises ``RejectedError``."""
        if len(raw) > MAX_ELEMENT_BYTES:
            raise RejectedError("too_large", f"An event is over {MAX_ELEMENT_BYTES} bytes; send less in it.")

        def missing_id(_index: int, stamped: bool) -> str:
            # A repeat may come in another array, at another place: the place says nothing.
            return message_id_of(visit.source, 0, raw) if stamped else str(uuid4())

        arrival = Arrival(visit.received_ms, visit.received_at, missing_id, corrected=True)
        event = normalise(parse(raw), None, arrival)
        value = dump(event)
        self._reception.notes.event(visit.source, event)
        return Outgoing(key_of(event), value, headers)


def _signed(body: bytes, *, array: bool) -> bytes:
    """What Segment has signed: the body, or of an array its first element."""
    if not array:
        return body
    start, end = next(cut(body, MAX_ELEMENT_BYTES), (0, 0))
    return body[start:end]
