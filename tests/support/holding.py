"""Holding services inside their transactions, where a kill or a freeze hurts most."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
from support.running import until

if TYPE_CHECKING:
    from support.running import Isthmus

__all__ = ["inside_transactions"]

# By the mode: an autovacuum of the ledger waits for another one, and is no service in its transaction.
_WAITING = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND relation = 'ledger'::regclass AND NOT granted"
    " AND mode = 'RowExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@asynccontextmanager
async def inside_transactions(isthmus: "Isthmus", services: int) -> AsyncIterator[None]:
    """In the block so many services at least wait for the ledger, the last step of a transaction: progress has been
    moved and contacts are locked. They may wait for 5 s, which is their ``lock_timeout``."""
    blocker = await asyncpg.connect(isthmus.dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE ledger IN EXCLUSIVE MODE")

            async def all_wait() -> bool:
                return bool(await blocker.fetchval(_WAITING) >= services)

            await until(all_wait, 4, f"{services} services are in their transactions", 0.01)
            yield
    finally:
        await blocker.close()
