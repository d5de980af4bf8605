"""What all ways in share: a caller is let in, a body is read, a record is written or kept."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ingress.admission import Admission
from ingress.bodies import TooLargeError, read
from ingress.gate import Gate
from ingress.notes import Notes
from ingress.visit import Visit
from processor.errors import RejectedError, UnavailableError
from processor.ports.publisher import Outgoing, Publisher
from processor.settings import Settings

__all__ = ["OverCapError", "Reception"]


class OverCapError(TooLargeError):
    """Answered 413: these callers, unlike SDKs, take it for what it is, and send no such body again."""


@dataclass(frozen=True, slots=True)
class Reception:
    """Made once a process."""

    publisher: Publisher
    admission: Admission
    gate: Gate
    settings: Settings
    notes: Notes

    async def read(self, visit: Visit, limit: int) -> bytes:
        """The whole body, inflated. Raises ``OverCapError``, and what ``admission`` and ``bodies`` raise."""
        request = visit.request
        length = request.content_length
        if length is not None and length > limit:
            raise OverCapError(limit, b"")
        size = limit if length is None or "Content-Encoding" in request.headers else length
        self.admission.take(size)
        visit.reserved = size
        try:
            visit.body = await read(request, limit, self.settings.body_timeout_s)
        except TooLargeError as error:
            raise OverCapError(limit, error.start) from None
        return visit.body

    def let_in(self, visit: Visit, events: Callable[[], int]) -> None:
        """One more request, and so many events, of a source that is known by now. Raises ``OverLimitError``."""
        now_s = time.perf_counter()
        self.gate.follow()
        self.gate.enter(visit.source, None, now_s)
        if self.gate.counts_events(visit.source):
            self.gate.spend(visit.source, events(), now_s)

    async def publish(self, topic: str, records: Sequence[Outgoing]) -> None:
        await self.publisher.publish(self.settings.topic(topic), records)

    async def keep(self, visit: Visit, raw: bytes, reason: RejectedError) -> None:
        """What cannot be taken becomes a dead letter."""
        await self.publish("segment.rejected", (self.rejected(visit, raw, reason, 0),))

    def rejected(self, visit: Visit, raw: bytes, reason: RejectedError, index: int) -> Outgoing:
        return visit.rejected(raw, reason, index, self.publisher.max_record_bytes // 2)

    async def in_time(self, work: Coroutine[Any, Any, None]) -> None:
        """Do all of it within ``produce_timeout_s``, from now on; raises ``UnavailableError`` beyond.

        Segment's webhook waits five seconds. What is on its way to Kafka then ends by itself, and nobody hears of it.
        """
        task = asyncio.ensure_future(work)
        await asyncio.wait({task}, timeout=self.settings.produce_timeout_s)
        if not task.done():
            task.add_done_callback(_heard)
            task.cancel()
            raise UnavailableError("Kafka did not acknowledge everything in time; send again.", "kafka_timeout")
        task.result()


def _heard(task: "asyncio.Future[None]") -> None:
    if not task.cancelled():
        task.exception()
