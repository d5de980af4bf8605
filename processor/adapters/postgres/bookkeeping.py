"""Dead letters and the ledger of a batch, inside the transaction that moves its progress."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from processor.domain.directory.command import Command, CommandResult
from processor.domain.events.record import Record
from processor.domain.events.subjects import subjects
from processor.domain.ledger import Tally
from processor.domain.outcome import Outcome, Rejection
from processor.ports.directory import Became
from processor.ports.effects import Decided
from processor.ports.log import Partition

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["CALL_ROWS", "bury", "count", "count_calls"]

_CLASSES = ("applied", "dead", "no_match", "disabled", "null", "own", "hops", "suppressed", "too_old", "holes")
_RESULTS = ("emitted", "changed", "repeated", "superseded", "suppressed", "rejected")
_PLACE = {"topic": "text", "topic_id": "uuid", "partition": "int", "source": "text"}
_Rows = dict[tuple[Any, ...], Counter[str]]
"""The key of a row of a ledger table, less the service, to what is added to its columns."""


def _addition(table: str, place: Mapping[str, str], names: Sequence[str]) -> str:
    """A statement that adds to rows of a ledger table; the tables and columns are those of this file."""
    columns = ", ".join((*place, *(f'"{name}"' for name in names)))
    types = (*place.values(), *("bigint" for _ in names))
    values = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types, 2))
    sums = ", ".join(f'"{name}" = l."{name}" + excluded."{name}"' for name in names)
    return (
        f"INSERT INTO {table} AS l (service, {columns}) SELECT $1, * FROM unnest({values})"  # noqa: S608
        f" ON CONFLICT (service, {', '.join(place)}) DO UPDATE SET {sums}"
    )


_ADD_RECORDS = _addition("ledger", _PLACE, _CLASSES)
_ADD_EFFECTS = _addition("ledger_effects", {**_PLACE, "mapping": "text"}, _RESULTS)
CALL_ROWS = 16
"""Rows of the ledger over which calls of the API are spread; one alone would make them wait for each other."""
_YEAR_3000_MS = 32_503_680_000_000


async def bury(
    connection: "Connection", service: str, decided: Decided, results: Sequence[Sequence[CommandResult | Rejection]]
) -> None:
    """One dead letter for each rejecting mapping, with the record's raw bytes."""
    letters: list[tuple[Record, Outcome, Rejection]] = []
    for record, outcome, became in zip(decided.records, decided.outcomes, results, strict=True):
        letters += [(record, outcome, rejection) for rejection in outcome.rejections]
        letters += [(record, outcome, result) for result in became if isinstance(result, Rejection)]
    if not letters:
        return
    ids = {span.partition.topic: span.topic_id for span in decided.spans}
    await connection.executemany(
        'INSERT INTO dead_letters (service, topic, topic_id, partition, "offset", mapping, code, reason, source,'
        " message_id, headers, key, value, received, revision, subjects)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        ' ON CONFLICT (service, topic_id, partition, "offset", mapping) DO NOTHING',
        [
            (
                service,
                record.topic,
                ids[record.topic],
                record.partition,
                record.offset,
                rejection.mapping,
                rejection.code,
                _text(rejection.message),
                _text(outcome.source),
                _text(outcome.message_id),
                [[_text(name), _text((value or b"").decode("utf-8", "replace"))] for name, value in record.headers],
                record.key,
                record.value,
                datetime.fromtimestamp(min(max(record.timestamp, 0), _YEAR_3000_MS) / 1000, UTC),
                decided.rules.revision,
                subjects(record.key, record.value),
            )
            for record, outcome, rejection in letters
        ],
    )


def _text(text: str) -> str:
    """Text that Postgres takes: without NUL and lone surrogates. What came as bytes is kept as bytes beside it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


async def count(connection: "Connection", service: str, decided: Decided, counted: Tally) -> None:
    """Add a batch to the ledger, in the order in which every owner adds: by partition, source and mapping."""
    ids = {span.partition: span.topic_id for span in decided.spans}
    records: _Rows = defaultdict(Counter)
    read: Counter[Partition] = Counter()
    for (topic, number, source, name), found in counted.records.items():
        partition = Partition(topic, number)
        records[topic, ids[partition], number, _text(source)][name] += found
        read[partition] += found
    for span in decided.spans:
        holes = span.next - span.expected - read[span.partition]
        if holes:
            records[span.partition.topic, span.topic_id, span.partition.partition, ""]["holes"] += holes
    await _add(connection, _ADD_RECORDS, service, records, _CLASSES)
    effects: _Rows = defaultdict(Counter)
    for (topic, number, source, mapping, result), found in counted.effects.items():
        row = effects[topic, ids[Partition(topic, number)], number, _text(source), mapping]
        row[result] += found
        row["emitted"] += found
    await _add(connection, _ADD_EFFECTS, service, effects, _RESULTS)


async def count_calls(
    connection: "Connection", row: int, commands: Sequence[Command], became: Sequence[Became]
) -> None:
    """Count writes of the API: a source of their own, on no topic."""
    records: _Rows = defaultdict(Counter)
    effects: _Rows = defaultdict(Counter)
    place = ("", UUID(int=0), row, "api")
    for command, (_, result) in zip(commands, became, strict=True):
        kind = "rejected" if isinstance(result, Rejection) else result
        records[place][{"rejected": "dead", "suppressed": "suppressed"}.get(kind, "applied")] += 1
        effects[*place, command.mapping][kind] += 1
        effects[*place, command.mapping]["emitted"] += 1
    await _add(connection, _ADD_RECORDS, "api", records, _CLASSES)
    await _add(connection, _ADD_EFFECTS, "api", effects, _RESULTS)


async def _add(connection: "Connection", statement: str, service: str, rows: _Rows, names: Sequence[str]) -> None:
    if rows:
        places = sorted(rows)
        columns = zip(*places, strict=True)
        await connection.execute(statement, service, *columns, *([rows[p][name] for p in places] for name in names))
