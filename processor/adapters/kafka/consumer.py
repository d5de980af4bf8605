"""A consumer of some topics over aiokafka: the thin side of ``ports.log.Log``.

What aiokafka 0.14 does that this file is shaped by: a new assignment is in force *before* its listener is awaited
and a listener's errors are only logged, so the listener notes a generation and nothing else; without a valid
position and with ``auto_offset_reset="none"`` it raises out of ``getmany``, which is how a partition that is not
admitted yet looks; a batch that it cannot decode raises and stays in front, and what the same call had taken from
other partitions before that is gone unless they are sought back.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka import errors as kafka

from processor.adapters.kafka.connection import connection_arguments
from processor.adapters.kafka.errors import translated
from processor.adapters.kafka.reading_errors import is_of_the_broker, partitions_of
from processor.adapters.kafka.topic_ids import topic_ids
from processor.errors import UnavailableError
from processor.ports.log import Assignment, Incarnation, Partition, Polled
from processor.settings import Settings

__all__ = ["KafkaLog"]

_REQUEST_S = 5.0
_NO_POSITION = (kafka.NoOffsetForPartitionError, kafka.OffsetOutOfRangeError)
_DAY_MS = 86_400_000
_STOP_S = 4.0
_AT_ONCE_S = 0.1
_ONE_BY_ONE = 500
"""Records of a partition that are read singly, before one that cannot be decoded, in one poll."""


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self) -> None:
        self.generation = 0

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self.generation += 1

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self.generation += 1


class KafkaLog:
    """Implements ``ports.log.Log``; reads nothing before ``subscribe``. With ``slot`` a member of the group
    ``isthmus-SERVICE``, without one a reader of every partition (``assignment: all``)."""

    def __init__(self, settings: Settings, service: str, slot: int | None) -> None:
        group = f"{settings.topic_prefix}isthmus-{service}"
        self._topics: frozenset[str] = frozenset()
        self._found: dict[str, Incarnation] = {}
        self._slot = slot
        self._listener = _Listener()
        self._partitions: frozenset[Partition] = frozenset()
        self._next: dict[Partition, int] = {}  # behind what was handed out or sought last
        self._consumer: Any = AIOKafkaConsumer(
            **connection_arguments(settings),
            client_id=group,
            group_id=group if slot is not None else None,
            group_instance_id=f"{group}-{slot}" if slot is not None else None,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=max(300, settings.session_timeout_ms // 6),
            rebalance_timeout_ms=10_000,
            max_poll_interval_ms=_DAY_MS,  # the fence guards; readiness goes red long before
            auto_offset_reset="none",
            enable_auto_commit=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=max(1_048_576, settings.topic_max_message_bytes),
            fetch_max_wait_ms=100,
            metadata_max_age_ms=3_000,  # a group learns in no other way that a topic was made again
            request_timeout_ms=10_000,
        )

    async def start(self) -> None:
        """Connect. Raises ``UnavailableError`` when the broker is away."""
        with translated():
            await asyncio.wait_for(self._consumer.start(), 30)

    async def stop(self) -> None:
        """Leave; a member with an instance id keeps its place for the next process.

        aiokafka waits for its coordinator, which may wait for a rebalance, or may have died and raise: then it is
        cancelled and its connections are closed, so that no second member of our name goes on beside the next one.
        """
        stopping = asyncio.ensure_future(self._consumer.stop())
        await asyncio.wait([stopping], timeout=_STOP_S)
        if not stopping.done():
            stopping.cancel()
            await asyncio.wait([stopping], timeout=1)
        if stopping.cancelled() or not stopping.done() or stopping.exception() is not None:
            with suppress(Exception):
                await asyncio.wait_for(self._consumer._client.close(), 1)  # noqa: SLF001 - what `stop` left open

    def assignment(self) -> Assignment:
        if self._slot is not None:
            dealt = frozenset(Partition(tp.topic, tp.partition) for tp in self._consumer.assignment())
            return Assignment(self._listener.generation, dealt)
        return Assignment(self._listener.generation, self._partitions)

    async def poll(self, max_records: int, timeout_s: float) -> Polled:
        try:
            with translated():
                try:
                    found = await self._consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=max_records)
                except Exception as error:
                    if is_of_the_broker(error):
                        raise
                    return await self._poll_apart()
        except UnavailableError as error:
            return self._explain(error.__cause__, error)
        return Polled({Partition(tp.topic, tp.partition): self._hand_out(tp, records) for tp, records in found.items()})

    def _hand_out(self, place: TopicPartition, records: list[Any]) -> list[Any]:
        self._next[Partition(place.topic, place.partition)] = records[-1].offset + 1
        return records

    async def _poll_apart(self) -> Polled:
        """Something cannot be decoded: go back, and read each partition by itself and record by record.

        So nothing is lost that was taken before the error, what stands before the bad record is still read, and the
        partition that is named is the right one.
        """
        assigned = self._consumer.assignment()
        here = {p: offset for p, offset in sorted(self._next.items()) if TopicPartition(*p) in assigned}
        for partition, offset in here.items():
            self._consumer.seek(TopicPartition(*partition), offset)
        bounds = await self.bounds(here)
        records: dict[Partition, list[Any]] = {}
        unreadable: dict[Partition, str] = {}
        for partition in (p for p, offset in here.items() if offset < bounds[p][1]):
            found, reason = await self._read_singly(TopicPartition(*partition))
            if found:
                records[partition] = found
            elif reason:
                unreadable[partition] = reason
        return Polled(records, unreadable=unreadable)

    async def _read_singly(self, place: TopicPartition) -> tuple[list[Any], str]:
        """What can be read from here on, and the name of the error that ended it."""
        found: list[Any] = []
        while len(found) < _ONE_BY_ONE:
            try:
                records = (await self._consumer.getmany(place, timeout_ms=0 if found else 500, max_records=1)).get(
                    place
                )
            except Exception as error:
                if is_of_the_broker(error):
                    raise
                return found, type(error).__name__
            if not records:
                break
            found += self._hand_out(place, records)
        return found, ""

    def _explain(self, cause: BaseException | None, error: UnavailableError) -> Polled:
        """An error of ``getmany`` as an answer, where it is about some partitions; else ``error`` goes on."""
        if isinstance(cause, _NO_POSITION):
            return Polled(lost=partitions_of(cause) or self.assignment().partitions)
        if isinstance(cause, kafka.UnknownTopicOrPartitionError):
            return Polled(lost=self.assignment().partitions)
        raise error

    def seek(self, partition: Partition, offset: int) -> None:
        self._next[partition] = offset
        self._consumer.seek(TopicPartition(*partition), offset)

    def subscribe(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)
        if self._slot is None:
            self._take_all()
            return
        self._listener.generation += 1  # the library forgets its assignment at once, and tells the listener later
        self._consumer.subscribe(sorted(self._topics), listener=self._listener)

    async def topics(self, names: Collection[str]) -> Mapping[str, Incarnation]:
        with translated():
            async with asyncio.timeout(_REQUEST_S):
                found = await topic_ids(self._consumer._client, names)  # noqa: SLF001 - its only way in
        self._found.update(found)
        self._found = {name: topic for name, topic in self._found.items() if name in found or name not in names}
        if self._slot is None:
            self._take_all()
        return found

    def _take_all(self) -> None:
        """Without a group nobody deals partitions: every one that exists is ours, new ones as they appear."""
        there = frozenset(
            Partition(name, number)
            for name in self._topics & self._found.keys()
            for number in range(self._found[name].partitions)
        )
        if there != self._partitions:
            self._partitions = there
            self._listener.generation += 1
            self._consumer.assign([TopicPartition(*partition) for partition in sorted(there)])

    async def bounds(self, partitions: Collection[Partition]) -> Mapping[Partition, tuple[int, int]]:
        asked = [TopicPartition(*partition) for partition in partitions]
        with translated():
            async with asyncio.timeout(_REQUEST_S):
                begin = await self._consumer.beginning_offsets(asked)
                end = await self._consumer.end_offsets(asked)
        return {Partition(tp.topic, tp.partition): (begin[tp], end[tp]) for tp in asked}

    async def reached(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        found: dict[Partition, int] = {}
        for place in partitions:
            # Known at once, or not at all: without a valid position the library would wait for one.
            with suppress(kafka.KafkaError, TimeoutError):
                async with asyncio.timeout(_AT_ONCE_S):
                    found[place] = await self._consumer.position(TopicPartition(*place))
        return found

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        if self._slot is None or not offsets:
            return True
        try:
            with translated():
                async with asyncio.timeout(_REQUEST_S):
                    await self._consumer.commit({TopicPartition(*p): offset for p, offset in offsets.items()})
        except UnavailableError as error:
            cause = error.__cause__
            if isinstance(cause, kafka.CommitFailedError | kafka.IllegalStateError | kafka.UnknownMemberIdError):
                return False
            if isinstance(cause, kafka.IllegalGenerationError | kafka.RebalanceInProgressError):
                return False
            raise
        return True

    async def readable_from(self, partition: Partition, offset: int, end: int) -> int:
        """By bisection: the smallest offset behind the stretch at ``offset`` from which a fetch can be decoded."""
        low, step = offset, 1
        with translated():
            while low + step < end and not await self._decodes(partition, low + step):
                low, step = low + step, step * 2
            high = min(low + step, end)
            while high - low > 1:
                middle = (low + high) // 2
                if await self._decodes(partition, middle):
                    high = middle
                else:
                    low = middle
        return high

    async def _decodes(self, partition: Partition, offset: int) -> bool:
        place = TopicPartition(*partition)
        self._consumer.seek(place, offset)
        for _ in range(50):
            try:
                if await self._consumer.getmany(place, timeout_ms=200, max_records=1):
                    return True
            except Exception as error:
                if is_of_the_broker(error):
                    raise
                return False
        return False
