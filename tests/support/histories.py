"""Histories of a directory for property tests: what a handful of people did, played through the real write path."""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from hypothesis import HealthCheck, Phase, settings
from support.owner import TOPIC_ID, Owner

from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.config import check
from processor.config.compile import rules_of
from processor.domain.decisions.directory import decide
from processor.domain.directory.command import Command
from processor.domain.events.normalise import Arrival, normalise
from processor.domain.events.record import RawRecord
from processor.domain.events.times import format_ms
from processor.domain.outcome import Outcome
from processor.domain.rules import Rules

__all__ = ["DIRECTORY", "SENT", "Api", "Delivered", "Event", "Step", "examples", "fresh", "play", "rules_with"]

DIRECTORY = "POOL_people"
SENT = 1_800_000_000_000
_counter = itertools.count(1)


def examples(usual: int) -> settings:
    """So many fixed examples, or ISTHMUS_TEST_EXAMPLES times as many by chance; only those are made smaller, which
    takes minutes, where one fails."""
    times = int(os.environ.get("ISTHMUS_TEST_EXAMPLES", "0"))
    phases = (Phase.explicit, Phase.generate)
    return settings(
        max_examples=usual * max(times, 1),
        derandomize=not times,
        phases=(*phases, Phase.shrink) if times else phases,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def rules_with(merge_rules: str, *more: str) -> Rules:
    """A directory with these merge rules, ``more`` of its keys, and both mappings of contacts and transactions."""
    text = f"""
version: 1
directories:
  - {{{", ".join((f"id: {DIRECTORY}, name: People, merge_rules: {merge_rules}", *more))}}}
sources: [{{id: web, write_key: wk_histories_4711}}]
connections:
  - name: crm
    sources: all
    mappings:
      - name: contact
        action: addContactToXmd
        clear_on_null: [phone]
        fields:
          directoryId: {DIRECTORY}
          embeddedData: {{"@path": "$.traits.extra"}}
      - name: transaction
        action: upsertContactTransaction
        fields:
          directoryId: {DIRECTORY}
          transactionDate: {{"@path": "$.properties.at"}}
          transactionData: {{"@path": "$.properties"}}
"""
    return rules_of(check(text), 1)


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody's library sends: an event with its messageId, made at ``at_ms`` by the client's clock."""

    at_ms: int
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Api:
    """What a caller of the API writes; repeated, it is the very same. ``nth``: of which contact, where one is named."""

    command: Command
    nth: int | None = None


Step = Event | Api


@dataclass(frozen=True, slots=True)
class Delivered:
    """One copy of a step: how long after it was made it was sent, how long it travelled, what it begins."""

    step: Step
    late_ms: int = 0
    latency_ms: int = 0
    begins_batch: bool = False


async def fresh(pool: Any, rules: Rules) -> Owner:
    """An owner with a partition of its own, and an empty directory under the old name."""
    directory = rules.directories[DIRECTORY]
    key_rules = [list(rule) for rule in directory.merge_rules]
    await pool.execute("UPDATE directories SET id = id || '_' || dir WHERE id = $1", DIRECTORY)
    await pool.execute("INSERT INTO directories (id, name, key_rules) VALUES ($1, 'People', $2)", DIRECTORY, key_rules)
    await pool.executemany(
        "INSERT INTO mailing_lists (dir, id, name, of_document)"
        " SELECT dir, $2, $3, true FROM directories WHERE id = $1",
        [(DIRECTORY, *list_) for list_ in directory.mailing_lists],
    )
    return await Owner(pool, rules, next(_counter)).admit()


async def play(owner: Owner, steps: Sequence[Delivered]) -> None:
    """Events in their batches, API writes between them. The source's name is the owner's own: so are effect keys."""
    writer = PostgresDirectoryWriter(owner.pool)
    directory = owner.rules.directories[DIRECTORY]
    for batch in _batches(steps):
        first = batch[0].step
        if isinstance(first, Event):
            await owner.apply([_decided(owner, copy) for copy in batch])
        elif (command := await _addressed(owner, first)) is not None:
            await writer.write(directory, [command], revision=1)


async def _addressed(owner: Owner, step: Api) -> Command | None:
    """The command with the contact or the keys by which its person is found; ``None``: there is no contact yet."""
    if step.nth is None:
        return owner.found(step.command)
    contacts = await PostgresQueries(owner.pool).contacts(DIRECTORY, 0, 100)
    return step.command._replace(contact=contacts[step.nth % len(contacts)].id) if contacts else None


def _batches(steps: Sequence[Delivered]) -> Iterator[list[Delivered]]:
    batch: list[Delivered] = []
    for copy in steps:
        alone = isinstance(copy.step, Api) or (batch and isinstance(batch[0].step, Api))
        if batch and (copy.begins_batch or alone):
            yield batch
            batch = []
        batch.append(copy)
    if batch:
        yield batch


def _decided(owner: Owner, copy: Delivered) -> Outcome:
    """Normalised as ingress does it: each copy has a ``sentAt`` and a ``receivedAt`` of its own."""
    assert isinstance(copy.step, Event)
    sent = SENT + copy.late_ms
    received = sent + copy.latency_ms
    item = {**copy.step.body, "timestamp": format_ms(copy.step.at_ms), "sentAt": format_ms(sent)}
    body = normalise(item, None, Arrival(received, format_ms(received), lambda _index, _stamped: "unnamed"))
    headers = (("source", owner.source.encode()), ("received-at", format_ms(received).encode()))
    record = RawRecord(*owner.place, 0, received, b"k", orjson.dumps(body), headers)
    outcome = decide(record, TOPIC_ID, owner.rules)
    assert not outcome.rejections or "userId" not in body, outcome.rejections
    return outcome
