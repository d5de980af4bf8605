"""What several tests of this folder share: a directory of a million contacts, which takes half a minute to make."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from secrets import token_hex
from typing import Any

import pytest
from pydantic import SecretStr
from support import databases
from support.million import fill
from support.plans import Asked, faults

from processor.adapters.postgres.pool import open_pool
from processor.settings import Settings


@pytest.fixture(scope="session")
def million(postgres_server: databases.Server, template_database: str) -> Iterator[str]:
    """The DSN of a database with a million contacts, which tests share and never empty."""
    name = f"m{token_hex(6)}"
    databases.run(databases.execute(postgres_server.dsn, f"CREATE DATABASE {name} TEMPLATE {template_database}"))
    databases.run(fill(databases.named(postgres_server.dsn, name)))
    yield databases.named(postgres_server.dsn, name)
    databases.run(databases.execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


class Question:
    """What the code asks while a test lets it work, and what PostgreSQL would make of it."""

    def __init__(self, pool: Any, asked: Asked) -> None:
        self.pool, self.asked = pool, asked

    async def check(self, *tables: str) -> None:
        """Every statement has good plans, and together they read or write these large tables."""
        await asyncio.sleep(0)  # asyncpg calls its loggers on the loop's next turn
        statements = dict(self.asked.statements)
        seen: set[str] = set()
        wrong = []
        async with self.pool.acquire() as connection:
            for statement, values in statements.items():
                found, large = await faults(connection, statement, values)
                seen |= large
                wrong += [f"{words}\n    {statement}" for words in found]
        assert not wrong, "\n".join(wrong)
        assert seen >= set(tables), f"only {seen} in {list(statements)}"


@pytest.fixture
async def question(million: str) -> AsyncIterator[Question]:
    pool = await open_pool(Settings(postgres=SecretStr(million), postgres_pool=2))
    asked = Asked()
    await asked.watch(pool, 2)
    yield Question(pool, asked)
    await pool.close()
