"""A log in memory that behaves like Kafka where it matters: for tests, held to the port by the same contract suite."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from processor.domain.events.record import RawRecord
from processor.errors import UnavailableError
from processor.ports.log import Assignment, Incarnation, Partition, Polled

__all__ = ["MemoryBroker", "MemoryLog"]


@dataclass(slots=True)
class _Topic:
    id: UUID = field(default_factory=uuid4)
    partitions: list[list[RawRecord]] = field(default_factory=list)
    begin: list[int] = field(default_factory=list)


class MemoryBroker:
    """Topics of one process. ``away`` makes every call fail as an absent broker does."""

    def __init__(self) -> None:
        self.topics: dict[str, _Topic] = {}
        self.away = False

    def create(self, name: str, partitions: int = 1) -> None:
        """Make a topic, or make it again: then it is empty and has another id."""
        self.topics[name] = _Topic(uuid4(), [[] for _ in range(partitions)], [0] * partitions)

    def append(
        self,
        name: str,
        value: bytes | None,
        *,
        partition: int = 0,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp: int = 0,
    ) -> RawRecord:
        log = self.topics[name].partitions[partition]
        offset = log[-1].offset + 1 if log else self.topics[name].begin[partition]
        record = RawRecord(name, partition, offset, timestamp, None, value, headers)
        log.append(record)
        return record

    def expire(self, name: str, before: int, *, partition: int = 0) -> None:
        """Retention: drop the records before an offset."""
        topic = self.topics[name]
        topic.partitions[partition] = [r for r in topic.partitions[partition] if r.offset >= before]
        topic.begin[partition] = before


class MemoryLog:
    """Implements ``ports.log.Log`` over a ``MemoryBroker``; every partition is this reader's until ``deal``."""

    def __init__(self, broker: MemoryBroker, topics: Sequence[str] = ()) -> None:
        self._broker = broker
        self._topics = topics
        self._positions: dict[Partition, int] = {}
        self._dealt: frozenset[Partition] | None = None
        self.generation = 0
        self.committed: dict[Partition, int] = {}
        self.member = True
        self.unreadable: dict[Partition, tuple[int, int]] = {}

    def deal(self, partitions: Collection[Partition] | None) -> None:
        """A rebalance: these partitions from now on, ``None``: all."""
        self._dealt = None if partitions is None else frozenset(partitions)
        self._positions.clear()
        self.generation += 1

    def assignment(self) -> Assignment:
        there = frozenset(
            Partition(name, number)
            for name in self._topics
            for number in range(len(self._broker.topics[name].partitions) if name in self._broker.topics else 0)
        )
        return Assignment(self.generation, there if self._dealt is None else self._dealt)

    async def poll(self, max_records: int, timeout_s: float) -> Polled:
        self._check()
        found: dict[Partition, list[RawRecord]] = {}
        lost = set()
        stuck = {}
        for partition in sorted(self.assignment().partitions):
            position = self._positions.get(partition)
            if position is None:
                lost.add(partition)
                continue
            bad = self.unreadable.get(partition)
            if bad and bad[0] <= position < bad[1]:
                stuck[partition] = "CorruptRecordException"
                continue
            until = bad[0] if bad and position < bad[0] else None
            log = self._broker.topics[partition.topic].partitions[partition.partition]
            records = [r for r in log if r.offset >= position and (until is None or r.offset < until)][:max_records]
            if records:
                found[partition] = records
                max_records -= len(records)
                self._positions[partition] = records[-1].offset + 1
            if max_records <= 0:
                break
        if not found:
            await asyncio.sleep(min(timeout_s, 0.001))
        return Polled(found, frozenset(lost), stuck)

    def seek(self, partition: Partition, offset: int) -> None:
        self._positions[partition] = offset

    def subscribe(self, topics: Collection[str]) -> None:
        if set(topics) != set(self._topics):
            self._topics = sorted(topics)
            self._positions.clear()
            self.generation += 1

    async def topics(self, names: Collection[str]) -> Mapping[str, Incarnation]:
        self._check()
        there = {name: self._broker.topics[name] for name in names if name in self._broker.topics}
        return {name: Incarnation(topic.id, len(topic.partitions)) for name, topic in there.items()}

    async def bounds(self, partitions: Collection[Partition]) -> Mapping[Partition, tuple[int, int]]:
        self._check()
        answer = {}
        for partition in partitions:
            topic = self._broker.topics[partition.topic]
            log = topic.partitions[partition.partition]
            begin = topic.begin[partition.partition]
            answer[partition] = (begin, log[-1].offset + 1 if log else begin)
        return answer

    async def reached(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        self._check()
        return {partition: self._positions[partition] for partition in partitions if partition in self._positions}

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        self._check()
        if self.member:
            self.committed.update(offsets)
        return self.member

    async def readable_from(self, partition: Partition, offset: int, end: int) -> int:
        self._check()
        return min(self.unreadable.pop(partition)[1], end)

    def _check(self) -> None:
        if self._broker.away:
            raise UnavailableError("Kafka: away", "kafka_away")
