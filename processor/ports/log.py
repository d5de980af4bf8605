"""Reading a partitioned log: the thin side that an adapter has to provide; the thinking is in ``engine.source``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from processor.domain.events.record import Record

__all__ = ["Assignment", "Incarnation", "Log", "Partition", "Polled"]


class Partition(NamedTuple):
    topic: str
    partition: int


class Incarnation(NamedTuple):
    """A topic as it is now: made again under its name it has another id. ``partitions``: how many."""

    id: UUID
    partitions: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """The partitions that are this process's to read. ``generation`` rises whenever they were dealt anew."""

    generation: int
    partitions: frozenset[Partition]


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll gave. ``lost``: partitions whose position the broker no longer knows: admit them anew.
    ``unreadable``: partitions whose next batch cannot be decoded (checksum, codec), with the reason."""

    records: Mapping[Partition, Sequence[Record]] = field(default_factory=dict)
    lost: frozenset[Partition] = frozenset()
    unreadable: Mapping[Partition, str] = field(default_factory=dict)


class Log(Protocol):
    """A consumer of some topics. Every method raises ``UnavailableError`` when the broker is away or too slow."""

    def assignment(self) -> Assignment: ...

    async def poll(self, max_records: int, timeout_s: float) -> Polled:
        """At most ``max_records``, offsets rising in each partition; empty after ``timeout_s`` without any."""

    def seek(self, partition: Partition, offset: int) -> None:
        """Read that partition from ``offset`` on; what was prefetched is forgotten."""

    def subscribe(self, topics: Collection[str]) -> None:
        """Read these topics, which exist, from now on and no others; the assignment follows."""

    async def topics(self, names: Collection[str]) -> Mapping[str, Incarnation]:
        """The present incarnations of topics; one that does not exist is absent, and is not created by asking."""

    async def bounds(self, partitions: Collection[Partition]) -> Mapping[Partition, tuple[int, int]]:
        """Oldest offset, and the offset after the newest, of each partition."""

    async def reached(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Where reading stands: behind the last record, and behind what is none, such as the end of a transaction.
        A partition that is no longer ours, or was not sought yet, is absent."""

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Tell the group how far we are. False: the group does not count us in; that is no error here."""

    async def readable_from(self, partition: Partition, offset: int, end: int) -> int:
        """The first offset after ``offset``, at most ``end``, from which records can be decoded again."""
