"""Connections to PostgreSQL: how they are opened, and what their errors mean to us.

A frozen process must not hold a row for ever (schema section 1): every connection sets the time-outs below.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import orjson

from processor.errors import IsthmusError, RejectedError, UnavailableError
from processor.settings import Settings

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]

__all__ = [
    "ACQUIRE_S",
    "LOST",
    "POISON_CLASSES",
    "SESSION",
    "WAIT_CLASSES",
    "open_pool",
    "prepare",
    "transaction",
    "translated",
]

ACQUIRE_S = 5.0
"""Seconds to wait for a connection of the pool; then the database counts as away."""

SESSION = {
    "application_name": "isthmus",
    "jit": "off",
    "timezone": "UTC",
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "3s",
    "tcp_user_timeout": "10s",
    "client_connection_check_interval": "2s",
}
"""Sent with every connection. Source: schema section 1, tried with a frozen owner."""

WAIT_CLASSES = ("08", "25006", "25P03", "28", "3D", "40", "53", "55P03", "57", "58")
"""SQLSTATE prefixes after which the same again later is right. Source: schema section 7."""
LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises of itself when a connection is lost. The second: the server's farewell (an idle session ended)
was read, its closing not yet, and the next query finds the protocol in no state to send."""
POISON_CLASSES = ("22", "23", "54")
"""SQLSTATE prefixes that one record's data caused: isolate it and bury it. Source: schema section 7."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into ours at the rim: away is ``UnavailableError``, data is ``RejectedError``.

    What is left is a fault of ours and stays as it is.
    """
    try:
        yield
    except IsthmusError:
        raise
    except asyncpg.PostgresError as error:
        state = getattr(error, "sqlstate", None) or ""
        if state.startswith(WAIT_CLASSES):
            raise UnavailableError(f"PostgreSQL: {type(error).__name__} ({state})", "postgres_away") from error
        if state.startswith(POISON_CLASSES):
            raise RejectedError("refused_by_database", f"{type(error).__name__} ({state})") from error
        raise
    except (*LOST, OSError, TimeoutError) as error:
        if isinstance(error, asyncpg.DataError):  # a value that asyncpg itself could not encode
            raise RejectedError("refused_by_database", f"{type(error).__name__}") from error
        raise UnavailableError(f"PostgreSQL: {type(error).__name__}", "postgres_away") from error


async def prepare(connection: "Connection") -> None:
    """JSON columns come and go as Python values, by orjson, in the binary format that COPY needs.

    On the wire ``jsonb`` is its text behind a version byte of 1. Source: PostgreSQL, jsonb_recv.
    """
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=orjson.dumps, decoder=orjson.loads, format="binary"
    )
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )


async def open_pool(settings: Settings) -> "Pool":
    """A pool of at most ``postgres_pool`` connections. Raises ``UnavailableError`` when none can be had in 5 s."""
    with translated():
        return await asyncpg.create_pool(
            settings.postgres.get_secret_value(),
            min_size=1,
            max_size=settings.postgres_pool,
            timeout=5,
            command_timeout=35,
            statement_cache_size=settings.postgres_statement_cache,
            server_settings=SESSION,
            init=prepare,
        )


@asynccontextmanager
async def transaction(pool: "Pool") -> AsyncIterator["Connection"]:
    """One transaction on a connection of the pool, the library's errors translated."""
    with translated():
        async with pool.acquire(timeout=ACQUIRE_S) as connection, connection.transaction():
            yield connection
