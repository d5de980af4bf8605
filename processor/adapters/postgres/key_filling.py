"""New merge rules need the keys of every contact before they act (schema section 4).

From the first step on every writer stores their keys (``building``), then those of the contacts that are there are
filled in beside the running services. A crash between leaves ``building``, and the next try begins anew.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from processor.adapters.postgres.contacts import SELECT_CONTACTS
from processor.adapters.postgres.keys import StaleError, read_keys, write_keys
from processor.adapters.postgres.pool import transaction
from processor.adapters.postgres.target import lock
from processor.domain.directory.matching import IMPLICIT, MergeRules, stored_keys
from processor.domain.directory.row import from_row
from processor.domain.rules import Directory

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection, Pool

__all__ = ["Progress", "fill_in", "know_rules"]

Progress = Callable[[str, int], None]
"""Told the directory and how many of its contacts have their keys by now."""
_BATCH = 2_000


async def fill_in(pool: "Pool", directories: Sequence[Directory], progress: Progress) -> None:
    """Fill in the keys of all rules of these directories that were not stored so far.

    Raises ``UnavailableError`` when the database is away; then the new rules do not act yet.
    """
    for directory in directories:
        async with transaction(pool) as connection:
            row = await connection.fetchrow("SELECT dir, key_rules FROM directories WHERE id = $1", directory.id)
            if row is None:
                continue
            stored = {IMPLICIT, *map(tuple, row["key_rules"])}
            new = [rule for rule in directory.merge_rules if rule not in stored]
            if not new:
                continue
            await lock(connection, {row["dir"]: directory}, 0, exclusive=True)
            await connection.execute("UPDATE directories SET building = $2 WHERE dir = $1", row["dir"], new)
        last, done = -1, 0
        while (filled := await _batch(pool, row["dir"], (directory, new), last)) is not None:
            last, count = filled
            done += count
            progress(directory.id, done)
        async with transaction(pool) as connection:
            await connection.execute(
                "UPDATE directories SET key_rules = key_rules || building, building = '[]' WHERE dir = $1", row["dir"]
            )


async def _batch(pool: "Pool", number: int, wanted: tuple[Directory, MergeRules], last: int) -> tuple[int, int] | None:
    """Fill in the next contacts behind ``last``; the last of them and their number, ``None`` when there are none."""
    directory, rules = wanted
    for exclusive in (False, True):
        try:
            async with transaction(pool) as connection:
                await lock(connection, {number: directory}, 0, exclusive=exclusive)
                rows = await connection.fetch(
                    f"{SELECT_CONTACTS} WHERE (dir, id) > ($1, $2) AND dir <= $1 AND merged_into IS NULL"
                    " ORDER BY dir, id LIMIT $3 FOR UPDATE",
                    number,
                    last,
                    _BATCH,
                )
                if not rows:
                    return None
                carried = [
                    (id_, key)
                    for id_, *standard, embedded, why in rows
                    for key in stored_keys(rules, from_row(standard, embedded, why).values)
                ]
                keys = sorted({key for _, key in carried})
                ownership, _ = await read_keys(connection, number, keys, exclusive=exclusive)
                for contact, key in carried:
                    ownership.claim(contact, key)
                await write_keys(connection, number, ownership, exclusive=exclusive)
                return rows[-1]["id"], len(rows)
        except StaleError as error:
            stale = error
    raise stale


async def know_rules(connection: "Connection", directories: Sequence[Directory], before: Sequence[Directory]) -> None:
    """Store keys by the rules of the new revision, and by those of the one before while services still have it."""
    previous = {directory.id: directory.merge_rules for directory in before}
    for directory in directories:
        rules = dict.fromkeys((*directory.merge_rules, *previous.get(directory.id, ())))
        await connection.execute("UPDATE directories SET key_rules = $2 WHERE id = $1", directory.id, list(rules))
