"""The sink: one transaction of fence, effects, dead letters and ledger (design section 2.2).

If the process dies before COMMIT, nothing has happened and the records are read again; if it dies after, ``progress``
says so. A COMMIT whose answer is lost looks like a missing store: the batch is tried again and the fence refuses it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from processor.adapters.postgres import bookkeeping
from processor.adapters.postgres.directory import ContactIds, StaleError, write
from processor.adapters.postgres.pool import transaction
from processor.adapters.postgres.target import Target, lock
from processor.domain.directory.command import Command, CommandResult
from processor.domain.ledger import Tally, tally
from processor.domain.outcome import Rejection
from processor.errors import FencedError, UnavailableError
from processor.ports.effects import Decided
from processor.ports.log import Partition

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection, Pool

__all__ = ["PostgresSink"]


@dataclass(slots=True)
class _Effects:
    """The commands of a batch by directory, each with its place (outcome, effect within it)."""

    places: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    commands: dict[str, list[Command]] = field(default_factory=lambda: defaultdict(list))
    forgets: bool = False
    """Whether somebody is to be forgotten, which needs the exclusive lock."""


class PostgresSink:
    """Implements ``ports.effects.Sink`` for one service. ``ambiguous`` is told how many commands matched several."""

    def __init__(self, pool: "Pool", service: str, ambiguous: Callable[[int], None] = lambda _: None) -> None:
        self._pool = pool
        self._service = service
        self._ambiguous = ambiguous
        self._ids = ContactIds()
        self._directories: dict[str, int] = {}

    async def apply(self, decided: Decided) -> Tally:
        effects = _grouped(decided)
        if not effects.forgets:
            try:
                return await self._once(decided, effects, exclusive=False)
            except StaleError:
                pass
        try:
            return await self._once(decided, effects, exclusive=True)
        except StaleError as error:  # a writer that takes no lock: wait and see
            raise UnavailableError(f"the directory changes under us: {error}", "stale") from error

    async def _once(self, decided: Decided, effects: _Effects, *, exclusive: bool) -> Tally:
        nothing: list[CommandResult | Rejection] = []
        results: list[list[CommandResult | Rejection]] = [
            ["repeated"] * len(outcome.effects) if outcome.effects else nothing for outcome in decided.outcomes
        ]
        async with transaction(self._pool) as connection:
            numbers = await self._numbers(connection, sorted(effects.commands))
            directories = {number: decided.rules.directories[name] for name, number in numbers.items()}
            targets = await lock(connection, directories, decided.rules.revision, exclusive=exclusive)
            await self._fence(connection, decided)
            for name, commands in effects.commands.items():
                became = await self._write(connection, targets[name], commands)
                for (outcome, effect), result in zip(effects.places[name], became, strict=True):
                    results[outcome][effect] = result
            counted = tally(decided.records, decided.outcomes, results)
            if counted.rejections:
                await bookkeeping.bury(connection, self._service, decided, results)
            await bookkeeping.count(connection, self._service, decided, counted)
        return counted

    async def _numbers(self, connection: "Connection", names: Sequence[str]) -> dict[str, int]:
        if not self._directories.keys() >= set(names):
            rows = await connection.fetch("SELECT id, dir FROM directories")
            self._directories = {row["id"]: row["dir"] for row in rows}
        return {name: self._directories[name] for name in names}

    async def _fence(self, connection: "Connection", decided: Decided) -> None:
        """Move ``progress`` by compare-and-set. Raises ``FencedError`` with every partition that is not ours."""
        spans = sorted(decided.spans, key=lambda span: span.partition)
        topics = [span.partition.topic for span in spans]
        numbers = [span.partition.partition for span in spans]
        rows = await connection.fetch(
            "SELECT p.topic, p.partition, p.epoch, p.next_offset, p.topic_id FROM progress p"
            " JOIN unnest($2::text[], $3::int[]) s (topic, partition) USING (topic, partition)"
            " WHERE p.service = $1 ORDER BY p.topic, p.partition FOR UPDATE OF p",
            self._service,
            topics,
            numbers,
        )
        found = {Partition(row["topic"], row["partition"]): tuple(row)[2:] for row in rows}
        lost = [s.partition for s in spans if found.get(s.partition) != (s.epoch, s.expected, s.topic_id)]
        if lost:
            raise FencedError(lost)
        await connection.execute(
            "UPDATE progress p SET next_offset = s.next"
            " FROM unnest($2::text[], $3::int[], $4::bigint[]) s (topic, partition, next)"
            " WHERE p.service = $1 AND p.topic = s.topic AND p.partition = s.partition",
            self._service,
            topics,
            numbers,
            [span.next for span in spans],
        )

    async def _write(
        self, connection: "Connection", target: Target, commands: Sequence[Command]
    ) -> list[CommandResult | Rejection]:
        written = await write(connection, target, commands, self._ids)
        self._ambiguous(written.ambiguous)
        return written.results


def _grouped(decided: Decided) -> _Effects:
    effects = _Effects()
    for position, outcome in enumerate(decided.outcomes):
        if not outcome.effects:
            continue
        for index, command in enumerate(outcome.effects):
            effects.places[command.directory].append((position, index))
            effects.commands[command.directory].append(command)
            if command.forget is not None:
                effects.forgets = True
    return effects
