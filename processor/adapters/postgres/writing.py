"""``DirectoryWriter`` on PostgreSQL: writes from outside the log, each its own transaction through the one write path.

The ledger counts them under the source ``api``, spread over rows so that callers do not wait for each other.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from processor.adapters.postgres import bookkeeping, erasing, mailing_lists, merges
from processor.adapters.postgres.directory import ContactIds, StaleError, write
from processor.adapters.postgres.pool import transaction
from processor.adapters.postgres.target import Target, lock
from processor.domain.directory.command import Command
from processor.domain.directory.matching import ref_key
from processor.domain.outcome import Rejection
from processor.domain.rules import Directory
from processor.errors import RejectedError, UnavailableError
from processor.ports.directory import Became, Erased, Merged

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection, Pool

__all__ = ["PostgresDirectoryWriter"]

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresDirectoryWriter:
    """Implements ``ports.directory.DirectoryWriter``. ``observe`` is told, after each write, how many commands matched
    several contacts, and how many embedded fields were left out."""

    def __init__(self, pool: "Pool", observe: Callable[[int, int], None] = lambda _ambiguous, _dropped: None) -> None:
        self._pool = pool
        self._observe = observe
        self._ids = ContactIds()

    async def write(
        self, directory: Directory, commands: Sequence[Command], *, revision: int, once: bytes | None = None
    ) -> Sequence[Became]:
        async def work(connection: "Connection", target: Target) -> tuple[Sequence[Became], int]:
            if once is not None and (first := await _used(connection, once)) is not None:
                return [Became(first, "repeated")], 0
            written = await write(connection, target, commands, self._ids)
            became = list(map(Became, written.contacts, written.results))
            if once is not None:
                await _remember(connection, once, became[0].contact)
            await bookkeeping.count_calls(connection, secrets.randbelow(bookkeeping.CALL_ROWS), commands, became)
            return became, written.ambiguous

        became, ambiguous = await self._in(directory, revision, work)
        self._observe(ambiguous, sum(command.dropped for command in commands))
        return became

    async def delete_contact(self, directory: str, contact: int, by: str) -> Erased | None:
        async with self._alone(directory) as (connection, target):
            return await erasing.delete(connection, target, contact, by)

    async def delete_transaction(self, directory: str, keys: tuple[bytes, bytes]) -> bool:
        async with transaction(self._pool) as connection:
            done = await connection.execute(
                "DELETE FROM transactions WHERE key BETWEEN $1 AND $2"
                " AND dir = (SELECT dir FROM directories WHERE id = $3)",
                *keys,
                directory,
            )
        return done != "DELETE 0"

    async def update_transaction(
        self, directory: str, keys: tuple[bytes, bytes], date_ms: int | None, data: Mapping[str, str] | None
    ) -> bool:
        async with transaction(self._pool) as connection:
            done = await connection.execute(
                "UPDATE transactions SET date = coalesce($4, date), data = coalesce($5::jsonb, data)"
                " WHERE key BETWEEN $1 AND $2 AND dir = (SELECT dir FROM directories WHERE id = $3)",
                *keys,
                directory,
                None if date_ms is None else _EPOCH + timedelta(milliseconds=date_ms),
                None if data is None else dict(data),
            )
        return done != "UPDATE 0"

    async def suppress(self, user_id: str, by: str) -> Erased:
        hash_ = _hash(user_id)
        counts = [0, 0, 0, 0]
        for directory in await self._directories():
            async with self._alone(directory) as (connection, target):
                erased, _ = await erasing.forget(connection, target, user_id, by)
            each = (erased.contacts, erased.transactions, erased.dead_letters, erased.memberships)
            counts = [sum(pair) for pair in zip(counts, each, strict=True)]
        return Erased(hash_, *counts)

    async def unsuppress(self, user_id: str) -> bool:
        hash_ = _hash(user_id)
        lifted = False
        for directory in await self._directories():
            async with self._alone(directory) as (connection, target):
                lifted |= await erasing.unsuppress(connection, target.number, hash_)
        return lifted

    async def merge(self, winner: int, loser: int, by: str) -> Merged:
        name = await self._directory_of(winner)
        if await self._directory_of(loser) != name:
            raise RejectedError("other_directory", "the two contacts are of two directories: only one's can be merged")
        async with self._alone(name) as (connection, target):
            command = Command(name, by, "api", by, 0, contact=winner, absorbs=loser)
            written = await write(connection, target, [command], self._ids)
            if isinstance(written.results[0], Rejection):
                raise RejectedError(written.results[0].code, written.results[0].message)
            row = await connection.fetchrow(
                "SELECT winner, loser FROM merges WHERE winner = $1 AND undone_at IS NULL ORDER BY id DESC LIMIT 1",
                written.contacts[0],
            )
            assert row is not None  # noqa: S101 - written a moment ago in the same transaction
            return Merged(
                row["winner"], row["loser"], await merges.changed_hands(connection, row["winner"], row["loser"])
            )

    async def unmerge(self, loser: int, by: str) -> Merged:
        async with self._alone(await self._directory_of(loser)) as (connection, target):
            return await merges.unmerge(connection, target, loser, by)

    async def create_list(self, directory: str, name: str) -> str:
        async with transaction(self._pool) as connection:
            return await mailing_lists.create(connection, directory, name)

    async def rename_list(self, directory: str, list_: str, name: str) -> bool:
        async with transaction(self._pool) as connection:
            return await mailing_lists.rename(connection, directory, list_, name)

    async def delete_list(self, directory: str, list_: str) -> bool:
        async with self._alone(directory) as (connection, target):
            return await mailing_lists.delete(connection, target.number, list_)

    async def leave_list(self, directory: str, list_: str, contact: int) -> bool:
        async with transaction(self._pool) as connection:
            return await mailing_lists.leave(connection, directory, list_, contact)

    async def _in(self, directory: Directory, revision: int, work: Callable[["Connection", Target], Awaitable[T]]) -> T:
        """The work under the directory's shared lock; again under the exclusive one when somebody came between."""
        for exclusive in (False, True):
            try:
                async with transaction(self._pool) as connection:
                    number = await _number(connection, directory.id)
                    targets = await lock(connection, {number: directory}, revision, exclusive=exclusive)
                    return await work(connection, targets[directory.id])
            except StaleError as error:
                stale = error
        raise UnavailableError(f"the directory changes under us: {stale}", "stale") from stale

    @asynccontextmanager
    async def _alone(self, directory: str) -> AsyncIterator[tuple["Connection", Target]]:
        """A transaction with the directory's exclusive lock. Which rules find people does not matter here."""
        async with transaction(self._pool) as connection:
            number = await _number(connection, directory)
            known = Directory(directory, directory)
            targets = await lock(connection, {number: known}, 0, exclusive=True)
            yield connection, targets[directory]

    async def _directories(self) -> list[str]:
        async with transaction(self._pool) as connection:
            return [row["id"] for row in await connection.fetch("SELECT id FROM directories ORDER BY dir")]

    async def _directory_of(self, contact: int) -> str:
        async with transaction(self._pool) as connection:
            found = await connection.fetchval(
                "SELECT d.id FROM contacts c JOIN directories d USING (dir) WHERE c.id = $1", contact
            )
        if found is None:
            raise RejectedError("unknown_contact", "no contact has that id")
        return str(found)


async def _number(connection: "Connection", directory: str) -> int:
    number = await connection.fetchval("SELECT dir FROM directories WHERE id = $1", directory)
    if number is None:
        raise RejectedError("unknown_directory", "no directory has that id")
    return int(number)


async def _used(connection: "Connection", once: bytes) -> int | None:
    """The contact of the first time, or ``None``: then the key is ours, and others with it wait for our commit."""
    fresh = await connection.fetchval(
        "INSERT INTO idempotency_keys (key, contact) VALUES ($1, -1) ON CONFLICT DO NOTHING RETURNING true", once
    )
    if fresh:
        return None
    found = await connection.fetchval("SELECT contact FROM idempotency_keys WHERE key = $1", once)
    if found is None:  # it was given up between the two statements
        raise StaleError("an idempotency key was given up meanwhile")
    return int(found)


async def _remember(connection: "Connection", once: bytes, contact: int | None) -> None:
    if contact is None:  # refused: the same key may be tried again with a better body
        await connection.execute("DELETE FROM idempotency_keys WHERE key = $1", once)
    else:
        await connection.execute("UPDATE idempotency_keys SET contact = $2 WHERE key = $1", once, contact)


def _hash(user_id: str) -> bytes:
    hash_ = ref_key({"extRef": user_id})
    if hash_ is None:
        raise RejectedError("no_matching_key", "a person to be forgotten needs a user id")
    return hash_
