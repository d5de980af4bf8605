"""``MergeQueries`` on PostgreSQL. The statements are in ``queries/duplicates.sql``."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from processor.adapters.postgres.contacts import SELECT_CONTACTS
from processor.adapters.postgres.pool import transaction
from processor.adapters.postgres.queries import statements
from processor.domain.directory.contact import Contact, carried
from processor.domain.directory.matching import complete_rules, lookup_keys
from processor.domain.directory.row import from_row
from processor.domain.rules import Directory
from processor.ports.merges import DuplicatePair, MergeRow

if TYPE_CHECKING:
    from asyncpg import Record

    from processor.adapters.postgres.pool import Connection, Pool

__all__ = ["PostgresMerges"]

_BATCH = 1_000
"""Rows looked at together: most callers want the first few pairs, and there may be many."""
_NOBODY = Contact()  # one that was deleted since the rows were read


class PostgresMerges:
    """Reads over a pool, duplicates in one transaction."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._sql = statements("duplicates.sql")

    async def duplicates(self, directories: Sequence[Directory], limit: int) -> Sequence[DuplicatePair]:
        known = {directory.id: directory for directory in directories}
        found: list[DuplicatePair] = []
        async with transaction(self._pool) as connection:
            cursor = await connection.cursor(self._sql["waiting"], list(known))
            while len(found) < limit and (rows := await cursor.fetch(_BATCH)):
                contacts = await _contacts(connection, rows)
                for row in rows:
                    both = tuple(contacts.get(row[place], _NOBODY) for place in ("owner", "waiting"))
                    rule = _rule_of(row["key"], known[row["directory"]], both)
                    if rule is not None:
                        found.append(DuplicatePair(row["directory"], rule, row["older"], row["younger"]))
        return found[:limit]

    async def merged_into(self, contact: int) -> Sequence[MergeRow]:
        async with transaction(self._pool) as connection:
            return [MergeRow(**row) for row in await connection.fetch(self._sql["merged_into"], contact)]


async def _contacts(connection: "Connection", rows: "Sequence[Record]") -> Mapping[int, Contact]:
    wanted = sorted({row["owner"] for row in rows} | {row["waiting"] for row in rows})
    found = await connection.fetch(f"{SELECT_CONTACTS} WHERE id = ANY($1::bigint[])", wanted)
    return {id_: from_row(standard, embedded, why) for id_, *standard, embedded, why in found}


def _rule_of(key: bytes, directory: Directory, both: Sequence[Contact]) -> tuple[str, ...] | None:
    """The merge rule by which both carry the key; ``None``: it is of a rule that is not in force, or one of the two
    carries it no more, which writing finds out only when it meets the key."""
    rules = directory.merge_rules
    if any(key not in carried(rules, contact) for contact in both):
        return None
    for contact in both:
        named = dict(zip(lookup_keys(rules, contact.values), complete_rules(rules, contact.values), strict=True))
        if (rule := named.get(key)) in rules:
            return rule
    return None
