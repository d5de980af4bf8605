"""Migrations: plain SQL, applied in order of their names, each once, one process at a time.

``NNNN_pre_*.sql`` may run while the old code is still up, ``NNNN_post_*.sql`` only after it is gone.
"""

import re
from importlib import resources
from typing import TYPE_CHECKING, Literal

import asyncpg

from processor.adapters.postgres.pool import translated

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["Phase", "migrate", "pending"]

Phase = Literal["pre", "post", "all"]
_LOCK = 0x15714305  # any number of our own: who holds it migrates, the others wait
_NAME = re.compile(r"(\d{4})_(pre|post)_\w+\.sql")


def _files(phase: Phase) -> list[tuple[str, str]]:
    folder = resources.files("processor.adapters.postgres.migrations")
    found = []
    for entry in folder.iterdir():
        match = _NAME.fullmatch(entry.name)
        if match and phase in ("all", match[2]):
            found.append((entry.name.removesuffix(".sql"), entry.read_text("utf-8")))
    return sorted(found)


async def pending(connection: "Connection", phase: Phase = "all") -> list[str]:
    """Names of the migrations that are still to run."""
    if await connection.fetchval("SELECT to_regclass('migrations')") is None:
        return [name for name, _ in _files(phase)]
    done = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
    return [name for name, _ in _files(phase) if name not in done]


async def migrate(dsn: str, phase: Phase = "all") -> list[str]:
    """Run what is pending and return the names. Raises ``UnavailableError`` when the database is away.

    Each file and its row in ``migrations`` are one transaction: a crash leaves whole steps.
    """
    with translated():
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
            )
            ran = await pending(connection, phase)
            texts = dict(_files(phase))
            for name in ran:
                async with connection.transaction():
                    await connection.execute(texts[name])
                    await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)
            return ran
        finally:
            await connection.close(timeout=5)
