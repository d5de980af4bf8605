"""Which place in a consumer group a process has: the lowest free number, held by an advisory lock.

Two members with one instance id read everything twice and nobody tells them (schema section 1, tried); an advisory
lock cannot be held twice. The connection is kept awake every second, and Postgres ends it after six silent ones: so
a frozen process loses its slot, and, when it wakes, finds that out and stops.
"""

import asyncio
from typing import TYPE_CHECKING

import asyncpg

from processor.adapters.postgres.pool import SESSION, translated

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ONLY", "Slot", "take_slot"]

ONLY = -1
"""The slot of ``assignment: all``: one process reads, the next stands by."""
_SILENT_S = 6
_MOST = 1_000


class Slot:
    """A slot that is held as long as ``hold`` runs. ``number`` is 0 or more, or ``ONLY``."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", number: int) -> None:
        self._connection = connection
        self.number = number

    async def hold(self) -> None:
        """Keep the lock; returns never. Raises ``UnavailableError`` when it is lost: stop at once."""
        while True:
            with translated():
                await self._connection.execute("SELECT 1", timeout=3)
            await asyncio.sleep(1)

    async def give_back(self) -> None:
        self._connection.terminate()


async def take_slot(dsn: str, service: str, *, only: bool, waiting: "Callable[[], object]") -> Slot:
    """The lowest free slot of the service; with ``only`` the one there is, ``waiting`` being called each second
    until another process gives it back. Raises ``UnavailableError`` when the database is away."""
    settings = SESSION | {"idle_session_timeout": f"{_SILENT_S}s", "application_name": f"isthmus-slot-{service}"}
    with translated():
        connection = await asyncpg.connect(dsn, timeout=5, command_timeout=5, server_settings=settings)
        try:
            while True:
                for number in (ONLY,) if only else range(_MOST):
                    if await connection.fetchval(
                        "SELECT pg_try_advisory_lock(hashtext($1), $2)", f"isthmus:{service}", number
                    ):
                        return Slot(connection, number)
                waiting()
                await asyncio.sleep(1)
        except BaseException:
            connection.terminate()
            raise
