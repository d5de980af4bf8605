"""The stored revisions of the configuration, and who has taken which."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.adapters.postgres.key_filling import Progress, fill_in, know_rules
from processor.adapters.postgres.pool import transaction, translated
from processor.config import check
from processor.domain.rules import Directory
from processor.errors import DocumentError, RejectedError
from processor.ports.revisions import Revision

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection, Pool

__all__ = ["PostgresRevisions", "Report"]

_LOCK = 0x15714306  # any number of our own: revisions are added one after the other
_COLUMNS = "number, document, applied_at, applied_by, note"
_SEEN_WITHIN_S = 10
"""Seconds after which a process that does not report is gone; they report every two."""
_DROP_TIMEOUT_S = 3_600.0
"""Of each statement that takes a directory's contacts away: there may be millions."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a running process says of itself. ``refused``: (number, reason) of a revision that it could not take."""

    instance: str
    service: str
    revision: int
    refused: tuple[int, str] | None


class PostgresRevisions:
    """Implements ``ports.revisions.Revisions`` and ``config.Store``. ``progress`` hears of keys being filled in."""

    def __init__(self, pool: "Pool", progress: Progress = lambda _directory, _contacts: None) -> None:
        self._pool = pool
        self._progress = progress

    async def newest(self) -> int:
        """The number of the newest revision, 0 when there is none: cheap enough to be asked every second."""
        with translated():
            return int(await self._pool.fetchval("SELECT coalesce(max(number), 0) FROM revisions"))

    async def latest(self) -> Revision | None:
        found = await self.history(1)
        return found[0] if found else None

    async def get(self, number: int) -> Revision | None:
        if not 0 < number < 2**31:
            return None
        with translated():
            row = await self._pool.fetchrow(f"SELECT {_COLUMNS} FROM revisions WHERE number = $1", number)  # noqa: S608
        return Revision(**row) if row is not None else None

    async def history(self, limit: int = 50) -> Sequence[Revision]:
        """Newest first."""
        with translated():
            rows = await self._pool.fetch(
                f"SELECT {_COLUMNS} FROM revisions ORDER BY number DESC LIMIT $1",  # noqa: S608
                limit,
            )
        return [Revision(**row) for row in rows]

    async def add(self, document: str, applied_by: str, note: str = "", *, drop: bool = False) -> Revision:
        """Store the document and its directories in one transaction; one like the newest changes nothing.

        New merge rules have their keys filled in first, which takes a while for many contacts.

        Raises ``DocumentError`` for a document with faults, and ``RejectedError`` (``directory_has_contacts``) when
        one of the directories that it leaves out has contacts; with ``drop`` these are deleted.
        """
        # Before the transaction: reading a long document takes longer than a transaction may stand idle.
        checked = await asyncio.to_thread(check, document)
        before = await self.latest()
        previous = await asyncio.to_thread(_directories_of, before) if before is not None else ()
        if before is None or before.document != document:
            await fill_in(self._pool, checked.directories, self._progress)
        async with transaction(self._pool) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            newest = await connection.fetchrow(f"SELECT {_COLUMNS} FROM revisions ORDER BY number DESC LIMIT 1")  # noqa: S608
            if newest is not None and newest["document"] == document:
                return Revision(**newest)
            await _remove(connection, [directory.id for directory in checked.directories], drop=drop)
            row = await connection.fetchrow(
                f"INSERT INTO revisions (document, applied_by, note) VALUES ($1, $2, $3) RETURNING {_COLUMNS}",  # noqa: S608
                document,
                applied_by,
                note,
            )
            await _know(connection, checked.directories)
            await know_rules(connection, checked.directories, previous)
        assert row is not None, "INSERT … RETURNING gives a row"  # noqa: S101
        return Revision(**row)

    async def reports(self) -> Sequence[Report]:
        """The processes that are running now."""
        with translated():
            rows = await self._pool.fetch(
                "SELECT instance, service, revision, details FROM processes"
                " WHERE seen_at > now() - make_interval(secs => $1) ORDER BY service, instance",
                _SEEN_WITHIN_S,
            )
        return [Report(row["instance"], row["service"], row["revision"], _refused(row["details"])) for row in rows]


async def _know(connection: "Connection", directories: Sequence[Directory]) -> None:
    await connection.execute(
        "INSERT INTO directories AS d (id, name) SELECT * FROM unnest($1::text[], $2::text[])"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE d.name <> excluded.name",
        [directory.id for directory in directories],
        [directory.name for directory in directories],
    )
    lists = [(directory.id, *each) for directory in directories for each in directory.mailing_lists]
    await connection.execute(
        "UPDATE mailing_lists SET of_document = false WHERE of_document AND (dir, id) NOT IN"
        " (SELECT d.dir, u.l FROM unnest($1::text[], $2::text[]) u (i, l) JOIN directories d ON d.id = u.i)",
        [directory for directory, _, _ in lists],
        [id_ for _, id_, _ in lists],
    )
    if not lists:
        return
    await connection.execute(
        "INSERT INTO mailing_lists (dir, id, name, of_document) SELECT d.dir, u.l, u.n, true"
        " FROM unnest($1::text[], $2::text[], $3::text[]) u (i, l, n) JOIN directories d ON d.id = u.i"
        " ORDER BY d.dir, u.l ON CONFLICT (dir, id) DO UPDATE SET name = excluded.name, of_document = true",
        *(list(column) for column in zip(*lists, strict=True)),
    )


def _directories_of(revision: Revision) -> Sequence[Directory]:
    """Those of a stored document; none where this program no longer reads it."""
    try:
        return check(revision.document, rules=False).directories
    except DocumentError:
        return ()


async def _remove(connection: "Connection", kept: Sequence[str], *, drop: bool) -> None:
    """Look after the contacts of directories that the document leaves out.

    The row in ``directories`` stays: a service that is two seconds behind still knows its number.
    Keys go first, because every writer finds a person there: who comes later waits and then starts anew.
    """
    left = await connection.fetch(
        "SELECT d.id, d.dir FROM directories d WHERE d.id <> ALL ($1::text[])"
        " AND EXISTS (SELECT FROM contacts c WHERE c.dir = d.dir) ORDER BY d.dir",
        kept,
    )
    if left and not drop:
        names = ", ".join(row["id"] for row in left)
        message = f"{names} is not in the document and has contacts; keep it, or apply with --drop to delete them"
        raise RejectedError("directory_has_contacts", message)
    if left:
        await connection.execute("SET LOCAL statement_timeout = 0")
    tables = ("match_keys", "waiting_keys", "list_members", "merges", "transactions", "contacts")
    for table in tables if left else ():
        numbers = [row["dir"] for row in left]
        await connection.execute(
            f"DELETE FROM {table} WHERE dir = ANY ($1::int[])",  # noqa: S608 - names of our own
            numbers,
            timeout=_DROP_TIMEOUT_S,
        )


def _refused(details: object) -> tuple[int, str] | None:
    refused = details.get("refused") if isinstance(details, dict) else None
    if not isinstance(refused, dict) or not isinstance(refused.get("number"), int):
        return None
    return refused["number"], str(refused.get("reason", ""))
