"""The heart: poll, decide, apply, commit, over batches. Deciding is pure, the offset moves last.

    async for batch in source.batches():
        decide every record                  effects | filtered | rejected; while the batch before is written
        apply it in one transaction          fence, effects, dead letters, ledger
        commit the offsets                   for lag monitors only

What may go wrong has three answers. The store is away: the batch is kept and tried again, longer each time.
A partition is another's: its records leave the batch, the rest is applied at once. Anything else is caused by one
record: it is isolated and buried (``isolate``).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from processor.domain.events.record import Record
from processor.domain.ledger import Tally
from processor.domain.outcome import Outcome, Rejection
from processor.domain.rules import ALWAYS_KNOWN_SOURCE, Rules
from processor.engine.budget import RejectionBudget
from processor.engine.isolate import bury, isolate
from processor.engine.source import Batch, Source
from processor.engine.status import Status
from processor.errors import FencedError, UnavailableError
from processor.logs import Log as Logger
from processor.ports.effects import Decided, Sink
from processor.ports.pauses import Pauses

__all__ = ["Loop", "Observer", "Parts"]

_SLICE = 40
"""Records decided without a break, about 2 ms: the answers of a write that is on its way come in between."""

T = TypeVar("T")
Decide = Callable[[Record, UUID, Rules], Outcome]


class Observer(Protocol):
    """Whoever counts: called after each applied batch, never awaited."""

    def applied(self, decided: Decided, tally: Tally, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a loop is made of. ``rules`` gives the revision in force; ``pause`` sleeps some seconds."""

    decide: Decide
    rules: Callable[[], Rules]
    source: Source
    sink: Sink
    pauses: Pauses
    status: Status
    observer: Observer
    logger: Logger
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    reads: Callable[[str, Rules], bool] = lambda _topic, _rules: True
    """Whether a topic is still read by these rules: it may have been taken out of the document after a poll."""


class Loop:
    """One consumer service. ``run`` returns after ``stop``, with the batch in hand finished."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._budget = RejectionBudget()
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True
        self._parts.source.stop()

    async def run(self) -> None:
        await self._stay_paused()
        source = self._parts.source
        batches = source.batches(self._parts.pause)
        ahead = asyncio.create_task(self._ahead(batches))
        try:
            while (read := await ahead) is not None:
                # One batch ahead: if this one cannot be written, the fence refuses the next one and it is read again.
                ahead = asyncio.create_task(self._ahead(batches))
                with source.busy():
                    await self._work(*read)
                if self._stopping:
                    return
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _ahead(self, batches: AsyncIterator[Batch]) -> tuple[Batch, Decided] | None:
        batch = await anext(batches, None)
        return None if batch is None else (batch, await self._decide(batch))

    async def _work(self, batch: Batch, first: Decided) -> None:
        fresh = first.rules.revision == self._parts.rules().revision
        decided = await self._within_budget(batch, first if fresh else await self._decide(batch))
        if decided is None:
            return
        try:
            await self._write(decided)
        except Exception as error:  # noqa: BLE001 - not away and not fenced: some record's data did it
            await isolate(decided, error, self._write, self._parts.logger)
        await self._parts.source.commit(decided.spans)

    async def _decide(self, batch: Batch) -> Decided:
        """A batch is decided by one revision."""
        rules, decide, ids = self._parts.rules(), self._parts.decide, batch.topic_ids
        outcomes: list[Outcome] = []
        for start in range(0, len(batch.records), _SLICE):
            if start:
                await asyncio.sleep(0)
            for record in batch.records[start : start + _SLICE]:
                try:
                    outcomes.append(decide(record, ids[record.topic], rules))
                except Exception as error:  # noqa: BLE001 - a fault in a decision buries that record, not the partition
                    self._parts.logger.error("record_buried", offset=record.offset, reason=type(error).__name__)
                    outcomes.append(bury(Outcome(ALWAYS_KNOWN_SOURCE), error))
        for position, rejection in batch.refused.items():
            outcomes[position] = Outcome(ALWAYS_KNOWN_SOURCE, rejections=(rejection,))
        decided = Decided(batch.spans, batch.records, outcomes, rules)
        unread = [span.partition for span in batch.spans if not self._parts.reads(span.partition.topic, rules)]
        return decided.without(unread) if unread else decided

    async def _within_budget(self, batch: Batch, decided: Decided) -> Decided | None:
        """While this revision rejects nearly everything, stand still until it is replaced or a person insists, and
        decide again. None: the partitions were dealt anew meanwhile, their records will be read again."""
        while True:
            if not self._budget.exceeded_by(decided.rules.revision, decided.outcomes):
                return decided
            worst = _commonest(decided.outcomes)
            reason = f"revision {decided.rules.revision}: {worst.mapping} rejects most events as {worst.code}"
            await self._until_there(partial(self._parts.pauses.set, decided.rules.revision, reason))
            self._parts.logger.error("service_paused", reason=reason)
            self._parts.logger.error("alarm_raised", kind="service_paused", reason=reason)
            await self._stay_paused()
            if self._stopping or not self._parts.source.owns([span.partition for span in batch.spans]):
                return None
            decided = await self._decide(batch)

    async def _stay_paused(self) -> None:
        """Return when no pause is in force for the present revision."""
        was_paused = False
        while not self._stopping:
            pause = await self._until_there(self._parts.pauses.get)
            if pause is None or pause.revision != self._parts.rules().revision:
                break
            if pause.resumed:
                self._budget.exceeded_by(pause.revision, ())
                self._budget.lift()
                break
            was_paused = True
            self._parts.status.to("paused", pause.reason)
            await self._parts.pause(0.5)
        if was_paused:
            self._parts.status.to("running")
            self._parts.logger.info("service_resumed")

    async def _write(self, decided: Decided) -> list[Tally]:
        """Apply a batch, waiting as long as the store is away and leaving out what is another's.

        Raises what the batch's own data causes.
        """
        wait = 0.1
        while decided.records and not self._stopping:
            began = self._parts.status.clock()
            try:
                tally = await self._parts.sink.apply(decided)
            except FencedError as error:
                self._parts.source.fenced([span for span in decided.spans if span.partition in error.partitions])
                decided = decided.without(error.partitions)
            except UnavailableError as error:
                if self._parts.status.to("waiting", str(error)):
                    self._parts.logger.warning("batch_retried", reason=str(error), code=error.code)
                await self._parts.pause(wait)
                wait = min(wait * 2, 5.0)
                if not self._parts.source.owns([span.partition for span in decided.spans]):
                    return []  # dealt anew while we waited: whoever has them reads these records again
            else:
                self._parts.status.to("running")
                self._parts.observer.applied(decided, tally, self._parts.status.clock() - began)
                return [tally]
        return []

    async def _until_there(self, work: Callable[[], Awaitable[T]]) -> T:
        """The answer of a small question to the store, however long it is away."""
        wait = 0.1
        while True:
            try:
                return await work()
            except UnavailableError as error:
                self._parts.status.to("waiting", str(error))
                await self._parts.pause(wait)
                wait = min(wait * 2, 5.0)


def _commonest(outcomes: Sequence[Outcome]) -> Rejection:
    found = Counter(rejection for outcome in outcomes for rejection in outcome.rejections if rejection.mapping)
    return found.most_common(1)[0][0]
