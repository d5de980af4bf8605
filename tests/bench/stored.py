"""A directory that is full already: contacts and their keys as the write path makes them, stored by COPY."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.events import DIRECTORY, PEOPLE, RULES, person_of
from pydantic import SecretStr

from processor.adapters.postgres.pool import open_pool
from processor.domain.directory.command import Command
from processor.domain.directory.contact import Contact, fold
from processor.domain.directory.matching import stored_keys
from processor.domain.directory.row import to_row
from processor.settings import Settings

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["store"]

_CHUNK = 20_000
_COLUMNS = (
    "id", "dir", "ext_ref", "email", "phone", "first_name", "last_name", "language", "unsubscribed", "embedded", "why",
)  # fmt: skip


def store(dsn: str, count: int) -> None:
    """``count`` contacts with the keys of three rules: people of whom no event of the bench speaks."""
    asyncio.run(_store(dsn, count))


async def _store(dsn: str, count: int) -> None:
    pool = await open_pool(Settings(postgres=SecretStr(dsn)))
    try:
        async with pool.acquire() as connection:
            number = await connection.fetchval("SELECT dir FROM directories WHERE id = $1", DIRECTORY)
            first = await connection.fetchval("SELECT nextval('contact_ids')")
            await connection.fetchval("SELECT setval('contact_ids', $1)", first + count)
            for start in range(0, count, _CHUNK):
                await _chunk(connection, number, first, range(start, min(start + _CHUNK, count)))
            await connection.execute("VACUUM (ANALYZE) contacts, match_keys", timeout=300)
    finally:
        await pool.close()


async def _chunk(connection: "Connection", number: int, first: int, places: Sequence[int]) -> None:
    contacts, keys = [], []
    for place in places:
        values = person_of(PEOPLE + place)
        initial = {"language": "EN", "unsubscribed": False}
        command = Command(DIRECTORY, "crm/contact", "web", f"stored-{place:024d}", 1_700_000_000_000, values, initial)
        contact, _ = fold(Contact(), command)
        standard, embedded, why = to_row(contact, {"message": command.message_id, "mapping": command.mapping})
        contacts.append((first + place, number, *standard, embedded, why))
        keys += [(number, key, first + place, None) for key in stored_keys(RULES, contact.values)]
    keys.sort()
    await connection.copy_records_to_table("contacts", records=contacts, columns=_COLUMNS, timeout=60)
    await connection.copy_records_to_table(
        "match_keys", records=keys, columns=("dir", "key", "contact", "prev"), timeout=60
    )
