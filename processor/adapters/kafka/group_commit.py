"""Group commit: many requests, few writes, one future per batch (design section 12).

The rules of this file:
    a lane is one partition: at most one batch of it flies, the next one fills meanwhile, full ones queue in between;
    all lanes of one broker fly together, so that a write carries what came in during the last one;
    a request waits for the futures of the batches that hold its records, and never owns them;
    a batch without an ack ``timeout_s`` after it was opened fails for whoever waits, and nothing more is appended
    until one of those that fly is acknowledged, or the producer is replaced: it may still arrive.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from processor.errors import UnavailableError
from processor.ports.publisher import Outgoing

__all__ = ["Batch", "GroupCommit", "Wire"]

LINGER_S = 0.005
"""A write waits while each turn of the loop brings more, at most so long: what a broker pays is by the write."""
RECORD_OVERHEAD_BYTES = 96
"""What Kafka adds to key, value and headers of one record, at most: 21 and some varints, with room."""


class Wire(Protocol):
    """What group commit needs of a producer."""

    def create_batch(self) -> Any: ...
    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[Any]": ...
    def leader(self, topic: str, partition: int) -> int | None: ...


class _Shared(asyncio.Future[None]):
    """A future that many wait for directly: the cancellation of one of them waits until it is done, at most its
    deadline, and takes nothing from the others. ``asyncio.shield`` would say the same at ten times the price."""

    def cancel(self, msg: object = None) -> bool:
        return False


class Batch:
    """Records of one partition that are written together. ``future`` is done when they are acknowledged, or failed."""

    __slots__ = ("builder", "bytes", "deadline", "future")

    def __init__(self, builder: Any, deadline: float) -> None:
        self.builder = builder
        self.bytes = 0
        self.deadline = deadline
        self.future: asyncio.Future[None] = _Shared(loop=asyncio.get_running_loop())

    def succeed(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            # Nobody may be waiting any more, and that is no news.
            self.future.exception()


class _Lane:
    __slots__ = ("filling", "flying", "full", "partition", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.filling: Batch | None = None
        self.full: deque[Batch] = deque()
        self.flying: Batch | None = None

    def waiting(self) -> list[Batch]:
        """Takes what has not flown yet out of the lane."""
        batches = list(self.full)
        self.full.clear()
        if self.filling is not None:
            batches.append(self.filling)
            self.filling = None
        return batches


class GroupCommit:
    """Batches on their way through one producer. ``on_failure`` hears of each write that failed for good."""

    def __init__(
        self, wire: Wire, *, timeout_s: float, max_bytes: int, on_failure: Callable[[Batch, BaseException], None]
    ) -> None:
        self._wire = wire
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._waiting: set[_Lane] = set()
        self._flying: dict[Batch, int | None] = {}
        self._busy: dict[int | None, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flush_due = False
        self._closed: UnavailableError | None = None
        self.bytes = 0
        self.stalled_since: float | None = None

    def admit(self) -> None:
        """Raises ``UnavailableError`` when nothing may be appended now; to be asked before every run of appends."""
        if self._closed is not None:
            raise self._closed
        if self.stalled_since is not None:
            raise UnavailableError("Kafka does not acknowledge writes; send again later.", "kafka_stalled")

    def append(self, topic: str, partition: int, record: Outgoing, timestamp_ms: int) -> "asyncio.Future[None]":
        """Put one record, known to fit a batch, onto its partition. Raises ``UnavailableError`` when too much waits."""
        if self.bytes > self._max_bytes:
            raise UnavailableError("Too much waits for Kafka; send again later.", "kafka_slow")
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane(topic, partition)
        key, value, headers = record
        if type(headers) is not list:
            headers = list(headers)  # the library's builder takes nothing else
        batch = lane.filling
        if batch is not None and not batch.builder.append(
            timestamp=timestamp_ms, key=key, value=value, headers=headers
        ):
            lane.full.append(batch)
            batch = None
        if batch is None:
            batch = lane.filling = Batch(self._wire.create_batch(), self._loop.time() + self._timeout_s)
            batch.builder.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
            self._waiting.add(lane)
            self._flush_soon()
        size = len(key) + len(value) + RECORD_OVERHEAD_BYTES
        batch.bytes += size
        self.bytes += size
        return batch.future

    def _flush_soon(self) -> None:
        """After a turn of the loop that brought nothing new, so that a burst of requests shares one write."""
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush_if_quiet, self.bytes, self._loop.time() + LINGER_S)

    def _flush_if_quiet(self, bytes_before: int, latest: float) -> None:
        if self.bytes > bytes_before and self._loop.time() < latest:
            self._loop.call_soon(self._flush_if_quiet, self.bytes, latest)
        else:
            self._flush()

    def _flush(self) -> None:
        self._flush_due = False
        free = [
            (lane, node)
            for lane in self._waiting
            if lane.flying is None and not self._busy.get(node := self._wire.leader(lane.topic, lane.partition))
        ]
        if not free or self._closed is not None:
            return
        ready = []
        for lane, node in free:
            if lane.full:
                batch = lane.full.popleft()
            elif lane.filling is not None:
                batch, lane.filling = lane.filling, None
            else:
                self._waiting.discard(lane)
                continue
            if lane.filling is None and not lane.full:
                self._waiting.discard(lane)
            lane.flying = batch
            self._flying[batch] = node
            self._busy[node] = self._busy.get(node, 0) + 1
            ready.append((lane, batch))
        self._spawn(self._send(ready))

    async def _send(self, ready: list[tuple[_Lane, Batch]]) -> None:
        for lane, batch in ready:
            try:
                sent = await self._wire.send_batch(batch.builder, lane.topic, partition=lane.partition)
            except Exception as error:  # noqa: BLE001 - the adapter's caller sorts every library error
                self._land(lane, batch, error)
            else:
                sent.add_done_callback(partial(self._landed, lane, batch))

    def _landed(self, lane: _Lane, batch: Batch, sent: "asyncio.Future[Any]") -> None:
        if sent.cancelled():
            self._land(lane, batch, UnavailableError("The write was given up."))
        else:
            self._land(lane, batch, sent.exception())

    def _land(self, lane: _Lane, batch: Batch, error: BaseException | None) -> None:
        if batch not in self._flying:
            return
        node = self._flying.pop(batch)
        self._busy[node] -= 1
        lane.flying = None
        self.bytes -= batch.bytes
        if error is not None:
            self._on_failure(batch, error)
            return
        batch.succeed()
        self.stalled_since = None
        if self._waiting and not self._busy[node]:
            self._flush_soon()

    def expire(self) -> None:
        """Fail what waits too long; to be called every fraction of ``timeout_s``."""
        now = self._loop.time()
        late = [batch for batch in self._flying if batch.deadline <= now]
        queued = any(batch.deadline <= now for lane in self._waiting for batch in (*lane.full, lane.filling) if batch)
        if not late and not queued:
            return
        error = UnavailableError("Kafka did not acknowledge the write in time; it may still arrive.", "kafka_timeout")
        for batch in late:
            batch.fail(error)
        if self._flying:
            self.stalled_since = self.stalled_since or now
        self._drop_waiting(error)

    def _drop_waiting(self, error: UnavailableError) -> None:
        for lane in self._waiting:
            for batch in lane.waiting():
                self.bytes -= batch.bytes
                batch.fail(error)
        self._waiting.clear()

    async def flush(self, timeout_s: float) -> None:
        """Wait until nothing is on its way any more, or ``timeout_s`` have passed."""
        waiting = [b.future for lane in self._waiting for b in (*lane.full, lane.filling) if b is not None]
        futures = [*waiting, *(batch.future for batch in self._flying)]
        if futures:
            await asyncio.wait(futures, timeout=timeout_s)

    def close(self, error: UnavailableError) -> None:
        """Nothing is appended any more; whoever waits hears ``error``."""
        self._closed = error
        self._drop_waiting(error)
        for batch in self._flying:
            batch.fail(error)
        self._flying.clear()
        self.bytes = 0
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
