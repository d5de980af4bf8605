"""A loop over a memory log and a sink made of lists, with everything that can go wrong on a switch."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from processor.adapters.memory.log import MemoryBroker, MemoryLog
from processor.domain.directory.command import Command
from processor.domain.ledger import Tally, tally
from processor.domain.outcome import Outcome, Rejection
from processor.domain.progress import Admission, Seen, Stored, admit
from processor.domain.rules import Rules
from processor.engine.loop import Loop, Parts
from processor.engine.source import Source
from processor.engine.status import Status
from processor.engine.topics import Start, Topics
from processor.errors import FencedError, RejectedError, UnavailableError
from processor.logs import get_log
from processor.ports.effects import Decided, Totals
from processor.ports.log import Partition
from processor.ports.pauses import Pause

TOPIC = "segment.events"
RULES = Rules(1, {}, {}, ())


def decide(record: Any, _topic_id: UUID, rules: Rules) -> Outcome:
    """`bad…` is rejected by a mapping, `bug` raises, `skip` is filtered, everything else takes effect."""
    value = record.value.decode()
    if value == "bug":
        raise KeyError(value)
    if value.startswith("bad") and rules.revision == 1:
        return Outcome("web", value, rejections=(Rejection("missing_required", "email", "crm/contact"),))
    if value == "skip":
        return Outcome("web", value)
    return Outcome("web", value, effects=(Command("POOL_1", "crm/contact", "web", value, 0),))


@dataclass
class ListSink:
    """Implements Sink and Progress as Postgres does: progress moves by compare-and-set with the effects."""

    rows: dict[Partition, Stored] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    expired: int = 0
    failures: list[Exception] = field(default_factory=list)
    lost_answers: int = 0
    refuse: frozenset[str] = frozenset()

    async def begin(self, topic_id: UUID, offsets: Mapping[Partition, int]) -> None:
        if not {partition.topic for partition in offsets} & {partition.topic for partition in self.rows}:
            self.rows |= {partition: Stored(topic_id, 0, offset, offset) for partition, offset in offsets.items()}

    async def acquire(self, seen: Mapping[Partition, Seen]) -> Mapping[Partition, tuple[Admission, Totals]]:
        given: dict[Partition, tuple[Admission, Totals]] = {}
        for partition, there in seen.items():
            got = admit(self.rows.get(partition), there)
            self.rows[partition] = Stored(got.topic_id, got.epoch, got.start_offset, got.next_offset)
            self.expired += got.expired
            given[partition] = (got, {})
        return given

    async def apply(self, decided: Decided) -> Tally:
        if self.failures:
            raise self.failures.pop(0)
        lost = [
            span.partition
            for span in decided.spans
            if (row := self.rows[span.partition])
            and (row.epoch, row.next_offset, row.topic_id) != (span.epoch, span.expected, span.topic_id)
        ]
        if lost:
            raise FencedError(lost)
        texts = [outcome.message_id for outcome in decided.outcomes if outcome.effects]
        if self.refuse.intersection(texts):
            raise RejectedError("refused_by_database", "a value it does not take")
        for span in decided.spans:
            row = self.rows[span.partition]
            self.rows[span.partition] = Stored(row.topic_id, row.epoch, row.start_offset, span.next)
        self.effects += texts
        for record, outcome in zip(decided.records, decided.outcomes, strict=True):
            self.dead += [((record.value or b"").decode(), r.code) for r in outcome.rejections]
        counted = tally(decided.records, decided.outcomes, [["changed"] * len(o.effects) for o in decided.outcomes])
        self.tallies.append(counted)
        if self.lost_answers:
            self.lost_answers -= 1
            raise UnavailableError("PostgreSQL: the connection broke at COMMIT")
        return counted


@dataclass
class ListPauses:
    """Implements Pauses."""

    pause: Pause | None = None

    async def get(self) -> Pause | None:
        return self.pause

    async def set(self, revision: int, reason: str) -> None:
        self.pause = Pause(revision, reason, False)


class Rig:
    """``await rig.turn()`` lets the loop work until nothing is left to read."""

    def __init__(self, partitions: int = 1, batch_records: int = 100) -> None:
        self.broker = MemoryBroker()
        self.broker.create(TOPIC, partitions)
        self.log = MemoryLog(self.broker, [TOPIC])
        self.others: dict[str, Start] = {}
        self.sink = ListSink()
        self.pauses = ListPauses()
        self.rules = RULES
        self.batches: list[Decided] = []
        self.now = 0.0
        self.status = Status(self.clock)
        logger = get_log()
        topics = Topics(self.log, [TOPIC], lambda: self.others, logger, self.clock)
        self.source = Source(topics, self.sink, self.status, logger, batch_records=batch_records)
        self.loop = Loop(
            Parts(
                decide=decide,
                rules=lambda: self.rules,
                source=self.source,
                sink=self.sink,
                pauses=self.pauses,
                status=self.status,
                observer=self,
                logger=logger,
                pause=self.pause,
                reads=lambda topic, _rules: topic == TOPIC or topic in self.others,
            )
        )
        self.waits: list[float] = []
        self.on_wait = lambda _number: None
        self._task: asyncio.Task[None] | None = None

    def clock(self) -> float:
        self.now += 0.0001
        return self.now

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.on_wait(len(self.waits))
        await asyncio.sleep(0)

    def applied(self, decided: Decided, tally: Tally, seconds: float) -> None:
        self.batches.append(decided)

    def put(self, *values: str | None, partition: int = 0) -> None:
        for value in values:
            self.broker.append(TOPIC, None if value is None else value.encode(), partition=partition)

    async def run_for(self, turns: int = 60) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self.loop.run())
        for _ in range(turns):
            await asyncio.sleep(0.001)
            if self._task.done():
                self._task.result()

    async def stop(self) -> None:
        self.loop.stop()
        if self._task is not None:
            await asyncio.wait_for(self._task, 5)
