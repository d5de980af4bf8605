"""``ListQueries`` on PostgreSQL. The statements are in ``queries/lists.sql``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from processor.adapters.postgres.pool import ACQUIRE_S, translated
from processor.adapters.postgres.queries import statements
from processor.adapters.postgres.reading import contact_row
from processor.ports.lists import MailingListRow, MemberRow

if TYPE_CHECKING:
    from asyncpg import Record

    from processor.adapters.postgres.pool import Pool

__all__ = ["PostgresLists"]


class PostgresLists:
    """Reads over a pool; every answer is of one statement."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._sql = statements("lists.sql")

    async def _rows(self, name: str, *values: object) -> "list[Record]":
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_S) as connection:
                return await connection.fetch(self._sql[name], *values)

    async def mailing_lists(self, directory: str, after: str, limit: int) -> Sequence[MailingListRow]:
        return [MailingListRow(**row) for row in await self._rows("mailing_lists", directory, after, limit)]

    async def mailing_list(self, directory: str, list_: str) -> MailingListRow | None:
        rows = await self._rows("mailing_list", directory, list_)
        return MailingListRow(**rows[0]) if rows else None

    async def members(self, directory: str, list_: str, after: int, limit: int) -> Sequence[MemberRow]:
        return [_member(row) for row in await self._rows("members", directory, list_, after, limit)]

    async def member(self, directory: str, list_: str, contact: int) -> MemberRow | None:
        rows = await self._rows("member", directory, list_, contact)
        return _member(rows[0]) if rows else None


def _member(row: "Record") -> MemberRow:
    return MemberRow(contact_row(row), row["opted_out"], row["opted_out_at"], row["joined_at"])
