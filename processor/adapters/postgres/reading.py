"""``Queries`` on PostgreSQL. The statements are in ``queries/reading.sql``, each with the index that it walks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_never

from processor.adapters.postgres.pool import ACQUIRE_S, translated
from processor.adapters.postgres.queries import statements
from processor.domain.directory.matching import ref_key
from processor.domain.outcome import FILTERED_REASONS
from processor.ports.queries import (
    ContactRow,
    Criterion,
    DateCriterion,
    DeadLetterRow,
    DeadLetterSummary,
    DirectoryRow,
    EffectRow,
    Ledger,
    LedgerRow,
    ListCriterion,
    ProcessRow,
    ProgressRow,
    TextCriterion,
    TransactionRow,
    Writer,
)

if TYPE_CHECKING:
    from asyncpg import Record

    from processor.adapters.postgres.pool import Pool

__all__ = ["PostgresQueries", "contact_row"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_COLUMNS = {
    "email": "lower(btrim(c.email))",  # as contacts_by_email has it
    "firstName": "lower(btrim(c.first_name))",
    "lastName": "lower(btrim(c.last_name))",
    "language": "lower(btrim(c.language))",
    "phone": "lower(btrim(c.phone))",
    "extRef": "lower(btrim(c.ext_ref))",
}
_DATE_COLUMNS = {"created": "c.created_at", "lastModified": "c.modified_at"}
_TEXT_OPERATORS = {"eq": "=", "neq": "IS DISTINCT FROM"}
_DATE_OPERATORS = {"gt": ">", "lt": "<", "gte": ">=", "lte": "<="}

_BY_KEY = (
    "c.id IN (SELECT m.contact FROM match_keys m WHERE m.dir = d.dir AND m.key = ${0}::bytea"
    " UNION ALL SELECT w.contact FROM waiting_keys w WHERE w.dir = d.dir AND w.key = ${0}::bytea)"
)
"""Who carries a key: the one that is found by it, and those who wait for it. Every contact stores extRef's."""
_MEMBER = "EXISTS (SELECT 1 FROM list_members l WHERE l.dir = d.dir AND l.list = ${0}::text AND l.contact = c.id)"


class PostgresQueries:
    """Reads over a pool; every answer is of one statement, the ledger's of one snapshot."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._sql = statements("reading.sql")

    async def _rows(self, name: str, *values: object) -> "list[Record]":
        return await self._fetch(self._sql[name], values)

    async def _fetch(self, statement: str, values: Sequence[object]) -> "list[Record]":
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_S) as connection:
                return await connection.fetch(statement, *values)

    async def directories(self) -> Sequence[DirectoryRow]:
        return [DirectoryRow(**row) for row in await self._rows("directories")]

    async def contact(self, id_: int, directory: str | None = None) -> ContactRow | None:
        rows = await self._rows("contact", id_, directory)
        return contact_row(rows[0]) if rows else None

    async def contacts(self, directory: str, after: int, limit: int) -> Sequence[ContactRow]:
        return [contact_row(row) for row in await self._rows("contacts", directory, after, limit)]

    async def search(
        self, directory: str | None, criteria: Sequence[Criterion], after: int, limit: int
    ) -> Sequence[ContactRow]:
        values: list[object] = [directory, after, limit]
        terms = []
        for criterion in criteria:
            term, needles = _term(criterion, len(values) + 1)
            values.extend(needles)
            terms.append(f"AND {term}")
        statement = self._sql["search"].replace("{criteria}", " ".join(terms))
        return [contact_row(row) for row in await self._fetch(statement, values)]

    async def transactions(
        self, contact: int, after: tuple[datetime, bytes] | None, limit: int
    ) -> Sequence[TransactionRow]:
        if after is None:
            rows = await self._rows("transactions_first", contact, limit)
        else:
            rows = await self._rows("transactions_after", contact, limit, *after)
        return [_transaction(row) for row in rows]

    async def transaction(self, contact: int, keys: tuple[bytes, bytes]) -> TransactionRow | None:
        rows = await self._rows("transaction", contact, *keys)
        return _transaction(rows[0]) if rows else None

    async def ledger(self) -> Ledger:
        with translated():
            async with (
                self._pool.acquire(timeout=ACQUIRE_S) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                rows = await connection.fetch(self._sql["ledger"])
                effects = await connection.fetch(self._sql["effects"])
                unaccounted = await connection.fetch(self._sql["unaccounted"])
        return Ledger(
            rows=[_ledger_row(row) for row in rows],
            effects=[EffectRow(**row) for row in effects],
            unaccounted={row["service"]: row["unaccounted"] for row in unaccounted},
        )

    async def dead_letters(
        self, mapping: str | None = None, code: str | None = None, source: str | None = None, limit: int = 50
    ) -> Sequence[DeadLetterSummary]:
        return [_summary(row) for row in await self._rows("dead_letters", mapping, code, source, limit)]

    async def dead_letter(self, id_: int) -> DeadLetterRow | None:
        rows = await self._rows("dead_letter", id_)
        if not rows:
            return None
        row = rows[0]
        return DeadLetterRow(_summary(row), headers=row["headers"], key=row["key"], value=row["value"])

    async def processes(self) -> Sequence[ProcessRow]:
        return [ProcessRow(**row) for row in await self._rows("processes")]

    async def progress(self) -> Sequence[ProgressRow]:
        return [ProgressRow(**row) for row in await self._rows("progress")]


def _term(criterion: Criterion, first: int) -> tuple[str, Sequence[object]]:
    """A condition on ``c``, and its values, which are numbered from ``first``."""
    match criterion:
        case TextCriterion(field="extRef", comparison="eq"):
            text = criterion.value.strip()
            condition = f"{_TEXT_COLUMNS['extRef']} = lower(${first}::text) AND {_BY_KEY.format(first + 1)}"
            return condition, (text, ref_key({"extRef": text}))
        case TextCriterion():
            column, operator = _TEXT_COLUMNS[criterion.field], _TEXT_OPERATORS[criterion.comparison]
            return f"{column} {operator} lower(${first}::text)", (criterion.value.strip(),)
        case DateCriterion():
            column, operator = _DATE_COLUMNS[criterion.field], _DATE_OPERATORS[criterion.comparison]
            return f"{column} {operator} ${first}::timestamptz", (criterion.value,)
        case ListCriterion():
            member = _MEMBER.format(first)
            return member if criterion.comparison == "eq" else f"NOT {member}", (criterion.list,)
        case _:
            assert_never(criterion)


def contact_row(row: "Record") -> ContactRow:
    """A contact of a row with the columns of ``contacts`` and the id of its directory."""
    why: Mapping[str, Any] = row["why"]
    table: Sequence[Sequence[Any]] = why.get("w", ())
    writers = {name: _writer(table[index]) for name, index in why.get("f", {}).items()}
    return ContactRow(
        id=row["id"],
        directory=row["directory"],
        ext_ref=row["ext_ref"],
        email=row["email"],
        phone=row["phone"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        language=row["language"],
        unsubscribed=row["unsubscribed"],
        embedded=row["embedded"],
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        made_by=why.get("by", {}),
        writers=writers,
    )


def _writer(entry: Sequence[Any]) -> Writer:
    """Of an initial value (rank 0) the stored time is negated, see ``domain.directory.command.Stamp``."""
    rank, time_ms, message, mapping = entry
    try:
        at = _EPOCH + timedelta(milliseconds=time_ms if rank else -time_ms)
    except OverflowError:
        at = None
    return Writer(rank, at, message, mapping)


def _transaction(row: "Record") -> TransactionRow:
    fields = dict(row)
    return TransactionRow(message=fields.pop("message_id"), **fields)


def _ledger_row(row: "Record") -> LedgerRow:
    fields = dict(row)
    return LedgerRow(filtered={reason: fields.pop(reason) for reason in FILTERED_REASONS}, **fields)


def _summary(row: "Record") -> DeadLetterSummary:
    fields = {name: value for name, value in row.items() if name not in ("headers", "key", "value")}
    return DeadLetterSummary(message=fields.pop("message_id"), **fields)
