"""From a log to batches: which partitions are ours, from where, and what of a poll may be used.

A partition is *admitted* by acquiring its row of ``progress`` (the epoch rises, so whoever had it can no longer
write) and seeking there. Records of a partition that is not admitted are dropped: the client library hands out
records before anybody could load a position, and keeps prefetched ones across a rebalance.
A partition that turned out to be another's (*fenced*) is admitted again only once the group counts us in.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from processor.domain.events.record import RawRecord, Record
from processor.domain.outcome import Rejection
from processor.domain.progress import Admission, Seen
from processor.engine.status import Status
from processor.engine.topics import Topics
from processor.errors import UnavailableError
from processor.logs import Log as Logger
from processor.ports.effects import Progress, Span, Totals
from processor.ports.log import Assignment, Partition, Polled

__all__ = ["Batch", "Source"]

_POLL_S = 0.25
_UNREADABLE_TRIES = 3
_GIVE_UP_S = 20.0
"""Of polls that fail without a break. aiokafka's coordinator can end by an error that it does not know (82, an instance
that was fenced) and its consumer then fails for ever: whoever runs us makes a new one, which harms in no outage."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of admitted partitions, partition by partition. ``refused``: by position, what cannot be decided on
    because it could not even be read."""

    spans: tuple[Span, ...]
    records: list[Record]
    topic_ids: Mapping[str, UUID]
    refused: Mapping[int, Rejection] = field(default_factory=dict)


@dataclass(slots=True)
class _Position:
    topic_id: UUID
    epoch: int
    next: int


class Source:
    """Batches of one service. ``lag`` and ``admitted`` are for reports; ``stop`` ends ``batches`` after its turn."""

    def __init__(
        self, topics: Topics, progress: Progress, status: Status, logger: Logger, *, batch_records: int
    ) -> None:
        self._topics = topics
        self._log = topics.log
        self._progress = progress
        self._status = status
        self._logger = logger
        self._batch_records = batch_records
        self._positions: dict[Partition, _Position] = {}
        self._fenced: dict[Partition, int] = {}
        self._generation = -1
        self._unreadable: dict[Partition, int] = {}
        self._stopping = False
        self._busy = False

    @property
    def positions(self) -> Mapping[Partition, int]:
        """The next offset of each admitted partition."""
        return {partition: position.next for partition, position in self._positions.items()}

    def stop(self) -> None:
        self._stopping = True

    def owns(self, partitions: Collection[Partition]) -> bool:
        """Whether these partitions are still dealt to us as they were when their records were read."""
        return self._log.assignment().generation == self._generation and self._positions.keys() >= set(partitions)

    def fenced(self, spans: Collection[Span]) -> None:
        """These spans were refused: forget their partitions until the group counts us in again.

        A partition that was acquired again since the span was read stays: its epoch is another, and only the stale
        span is lost. Without this, reading ahead would take each new admission away again.
        """
        for span in spans:
            position = self._positions.get(span.partition)
            if position is not None and position.epoch != span.epoch:
                continue
            self._positions.pop(span.partition, None)
            self._fenced[span.partition] = span.expected
            place = {"topic": span.partition.topic, "partition": span.partition.partition}
            self._logger.warning("partition_fenced", **place, epoch=span.epoch)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While a batch is written, its writer says how the service is; reading ahead keeps silent."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    async def commit(self, spans: Collection[Span]) -> None:
        """Show monitors how far we are. Never fails: the truth is in ``progress``."""
        try:
            await self._log.commit({span.partition: span.next for span in spans})
        except UnavailableError as error:
            self._logger.debug("offsets_commit_failed", reason=str(error))

    async def batches(self, pause: Callable[[float], Awaitable[None]]) -> AsyncIterator[Batch]:
        """Batches for ever. ``pause`` sleeps some seconds; while the broker or the store is away it is awaited
        longer each time, up to 5 s. Raises ``UnavailableError`` after 20 s of that."""
        wait, failing_since = 0.1, None
        while not self._stopping:
            try:
                await self._settle()
                polled = await self._log.poll(self._batch_records, _POLL_S)
                batch = await self._batch(polled)
            except UnavailableError as error:
                if not self._busy:
                    self._status.to("waiting", str(error))
                self._topics.look_again()
                failing_since = failing_since or self._status.clock()
                if self._status.clock() - failing_since > _GIVE_UP_S:
                    raise
                await pause(wait)
                wait = min(wait * 2, 5.0)
                continue
            wait, failing_since = 0.1, None
            if batch.records:
                yield batch
            elif not self._busy and (self._positions or not self._log.assignment().partitions):
                self._status.to("running" if self._positions else "standby")

    async def _settle(self) -> None:
        """Bring the admitted partitions in line with what is dealt to us and with the topics' incarnations."""
        ids = await self._topics.settle()
        assigned = self._log.assignment()
        if assigned.generation != self._generation:
            self._generation = assigned.generation
            self._positions.clear()
            self._fenced.clear()
            self._logger.info("partitions_assigned", partitions=_named(assigned.partitions))
        if ids is not None:
            self._drop_recreated(ids)
        asked = dict(self._fenced)  # a write that is on its way may add to them meanwhile
        if asked and await self._log.commit(asked):
            for partition in asked:
                self._fenced.pop(partition, None)
        wanted = assigned.partitions - self._positions.keys() - self._fenced.keys()
        if wanted:
            await self._admit(wanted, assigned)

    def _drop_recreated(self, ids: Mapping[str, UUID]) -> None:
        for partition, position in list(self._positions.items()):
            if ids.get(partition.topic) != position.topic_id:
                del self._positions[partition]
                self._logger.info("partition_dropped", topic=partition.topic, partition=partition.partition)

    async def _admit(self, wanted: Collection[Partition], assigned: Assignment) -> None:
        found = await self._topics.incarnations({partition.topic for partition in wanted})
        there = [partition for partition in wanted if partition.topic in found]
        await self._topics.begin(found, self._progress)
        bounds = await self._log.bounds(there)
        seen = {partition: Seen(found[partition.topic].id, *bounds[partition]) for partition in there}
        acquired = await self._progress.acquire(seen)
        if self._log.assignment().generation != assigned.generation:
            return  # dealt anew meanwhile; the next turn begins with that
        for partition, (admission, totals) in acquired.items():
            self._log.seek(partition, admission.next_offset)
            self._positions[partition] = _Position(admission.topic_id, admission.epoch, admission.next_offset)
            self._tell(partition, admission, totals)

    def _tell(self, partition: Partition, admission: Admission, totals: Totals) -> None:
        place = {"topic": partition.topic, "partition": partition.partition}
        if admission.anomaly == "recreated":
            self._logger.warning("topic_recreated", **place, next_offset=admission.next_offset)
        elif admission.anomaly is not None:
            self._logger.error("records_expired", **place, expired=admission.expired, anomaly=admission.anomaly)
            self._logger.error("alarm_raised", kind="expired", **place, expired=admission.expired)
        self._logger.info(
            "partition_admitted",
            **place,
            epoch=admission.epoch,
            topic_id=str(admission.topic_id),
            start_offset=admission.start_offset,
            next_offset=admission.next_offset,
            ledger=dict(totals),
        )

    async def _batch(self, polled: Polled) -> Batch:
        if polled.lost:
            for partition in polled.lost & self._positions.keys():
                del self._positions[partition]
            self._topics.look_again()
        spans: list[Span] = []
        records: list[Record] = []
        for partition, found in polled.records.items():
            position = self._positions.get(partition)
            if position is None:
                continue
            fresh = found if found[0].offset >= position.next else [r for r in found if r.offset >= position.next]
            if fresh:
                spans.append(self._advance(partition, position, fresh[-1].offset + 1))
                records.extend(fresh)
                self._unreadable.pop(partition, None)
        ids = {span.partition.topic: span.topic_id for span in spans}
        refused = await self._give_up_on(polled.unreadable, spans, records)
        ids.update({span.partition.topic: span.topic_id for span in spans})
        return Batch(tuple(spans), records, ids, refused)

    def _advance(self, partition: Partition, position: _Position, to: int) -> Span:
        span = Span(partition, position.topic_id, position.epoch, position.next, to)
        position.next = to
        return span

    async def _give_up_on(
        self, unreadable: Mapping[Partition, str], spans: list[Span], records: list[Record]
    ) -> Mapping[int, Rejection]:
        """After some tries a stretch that cannot be decoded becomes one dead letter, and reading goes on behind it."""
        refused: dict[int, Rejection] = {}
        for partition, reason in unreadable.items():
            position = self._positions.get(partition)
            if position is None or any(span.partition == partition for span in spans):
                continue
            self._unreadable[partition] = self._unreadable.get(partition, 0) + 1
            if self._unreadable[partition] < _UNREADABLE_TRIES:
                continue
            start = position.next
            _, end = (await self._log.bounds([partition]))[partition]
            behind = await self._log.readable_from(partition, start, end)
            spans.append(self._advance(partition, position, behind))
            refused[len(records)] = Rejection("unreadable_batch", f"offsets {start} to {behind - 1}: {reason}")
            records.append(RawRecord(partition.topic, partition.partition, start))
            self._log.seek(partition, behind)
        return refused


def _named(partitions: Collection[Partition]) -> dict[str, list[int]]:
    named: dict[str, list[int]] = {}
    for partition in sorted(partitions):
        named.setdefault(partition.topic, []).append(partition.partition)
    return named
