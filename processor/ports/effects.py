"""Writing what was decided: one transaction of fence, effects, dead letters and ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from processor.domain.events.record import Record
from processor.domain.ledger import Tally
from processor.domain.outcome import Outcome
from processor.domain.progress import Admission, Seen
from processor.domain.rules import Rules
from processor.ports.log import Partition

__all__ = ["Decided", "Progress", "Sink", "Span", "Totals"]

Totals = Mapping[str, Mapping[str, int]]
"""The ledger of one partition: source to class to records."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one partition: from the offset that ``progress`` must show, to the one that it shows after."""

    partition: Partition
    topic_id: UUID
    epoch: int
    expected: int
    next: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch and what was decided about each record, by one revision. Records stand partition by partition,
    offsets rising; each partition that occurs has exactly one span."""

    spans: tuple[Span, ...]
    records: Sequence[Record]
    outcomes: Sequence[Outcome]
    rules: Rules

    def without(self, partitions: Collection[tuple[str, int]]) -> "Decided":
        """The same, less some partitions: they are another process's now."""
        kept = [
            (record, outcome)
            for record, outcome in zip(self.records, self.outcomes, strict=True)
            if (record.topic, record.partition) not in partitions
        ]
        return replace(
            self,
            spans=tuple(span for span in self.spans if span.partition not in partitions),
            records=[record for record, _ in kept],
            outcomes=[outcome for _, outcome in kept],
        )

    def halves(self) -> tuple["Decided", "Decided"]:
        """Two batches to be applied one after the other. Needs two records at least."""
        middle = len(self.records) // 2
        first, second = self.records[:middle], self.records[middle:]
        last, head = first[-1], second[0]
        cut = (
            Partition(last.topic, last.partition)
            if (last.topic, last.partition) == (head.topic, head.partition)
            else None
        )
        before = {(record.topic, record.partition) for record in first}
        early, late = [], []
        for span in self.spans:
            if span.partition == cut:
                early.append(replace(span, next=head.offset))
                late.append(replace(span, expected=head.offset))
            elif span.partition in before:
                early.append(span)
            else:
                late.append(span)
        return (
            replace(self, spans=tuple(early), records=first, outcomes=self.outcomes[:middle]),
            replace(self, spans=tuple(late), records=second, outcomes=self.outcomes[middle:]),
        )


class Sink(Protocol):
    """Applies decided batches."""

    async def apply(self, decided: Decided) -> Tally:
        """All or nothing. Raises ``FencedError`` naming the partitions that are another's now,
        ``UnavailableError`` when the store is away (the batch may or may not have been written: the fence tells),
        ``RejectedError`` or anything else when this batch's data cannot be written."""


class Progress(Protocol):
    """The rows of ``progress``. Every method raises ``UnavailableError`` when the store is away."""

    async def begin(self, topic_id: UUID, offsets: Mapping[Partition, int]) -> None:
        """Where the partitions of one topic begin, if this service has never read it; else nothing happens."""

    async def acquire(self, seen: Mapping[Partition, Seen]) -> Mapping[Partition, tuple[Admission, Totals]]:
        """Take partitions over, and the ledger's totals of each so far. Waits for the old owner's open transaction."""
