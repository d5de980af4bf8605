"""A publisher made of lists."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from processor.errors import RejectedError, UnavailableError
from processor.ports.publisher import Outgoing

__all__ = ["MemoryPublisher"]


class MemoryPublisher:
    """Keeps every acknowledged record in ``records``, by topic and in order.

    ``away``: answer as if the broker could not be reached. ``ack_after_s``: seconds until an ack.
    """

    def __init__(self, max_record_bytes: int = 1_048_576, *, ack_after_s: float = 0.0) -> None:
        self._max_record_bytes = max_record_bytes
        self.records: dict[str, list[Outgoing]] = defaultdict(list)
        self.away = False
        self.ack_after_s = ack_after_s

    @property
    def max_record_bytes(self) -> int:
        return self._max_record_bytes

    async def publish(self, topic: str, records: Iterable[Outgoing]) -> None:
        taken: list[Outgoing] = []
        for record in records:
            key, value, headers = record
            size = len(key) + len(value) + sum(len(name) + len(content) + 8 for name, content in headers)
            if size > self._max_record_bytes:
                raise RejectedError("too_large", f"A record of {size} bytes is over {self._max_record_bytes}.")
            taken.append(record)
        if self.ack_after_s:
            await asyncio.sleep(self.ack_after_s)
        await self.ready()
        self.records[topic].extend(taken)

    async def ready(self) -> None:
        if self.away:
            raise UnavailableError("Kafka cannot be reached; send again later.", "kafka_away")
