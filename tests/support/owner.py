"""One owner of one partition that applies batches through the real sink, without a broker."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from processor.adapters.postgres.commit import PostgresSink
from processor.adapters.postgres.progress import PostgresProgress
from processor.domain.directory.command import Command
from processor.domain.directory.matching import lookup_keys
from processor.domain.events.record import RawRecord
from processor.domain.outcome import Outcome
from processor.domain.progress import Seen
from processor.domain.rules import Rules
from processor.ports.effects import Decided, Span
from processor.ports.log import Partition

__all__ = ["TOPIC_ID", "Owner"]

TOPIC_ID = UUID(int=7)


class Owner:
    """``owner = await Owner(pool, rules).admit()``; the partition is nobody else's."""

    def __init__(self, pool: Any, rules: Rules, partition: int = 0) -> None:
        self.pool, self.rules = pool, rules
        self.place = Partition("segment.events", partition)
        self.source = f"web{partition}"
        self.sink = PostgresSink(pool, "directory")
        self.next, self.epoch = 0, 0

    async def admit(self) -> "Owner":
        progress = PostgresProgress(self.pool, "directory", "tests")
        admission, _ = (await progress.acquire({self.place: Seen(TOPIC_ID, 0, 1 << 40)}))[self.place]
        self.epoch, self.next = admission.epoch, admission.next_offset
        return self

    async def apply(self, outcomes: Sequence[Outcome]) -> Any:
        """One batch; returns its tally."""
        records = [
            RawRecord(*self.place, self.next + number, 1_700_000_000_000, b"k", b"{}")
            for number in range(len(outcomes))
        ]
        span = Span(self.place, TOPIC_ID, self.epoch, self.next, self.next + len(outcomes))
        counted = await self.sink.apply(Decided((span,), records, outcomes, self.rules))
        self.next = span.next
        return counted

    async def write(self, *commands: Command) -> Any:
        """The commands, each as the one effect of a record, found by the merge rules of its directory."""
        return await self.apply(
            [Outcome("web", found.message_id, effects=[found]) for found in map(self.found, commands)]
        )

    def found(self, command: Command) -> Command:
        rules = self.rules.directories[command.directory].merge_rules
        return command._replace(keys=lookup_keys(rules, {**command.initial, **command.values}))
