"""PostgreSQL restarted in mid-load."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.databases import run
from support.load import Load
from support.running import until

from processor.adapters.postgres.migrate import migrate


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_a_restart_of_the_database_loses_nothing(
    start: Any, kafka: Any, own_postgres: Any, how: str, figure: Callable[[str], None]
) -> None:
    """In order or by SIGKILL: ingress goes on acknowledging, everything is applied once, nothing is a dead letter."""
    run(migrate(own_postgres.dsn))
    isthmus = await start(kafka, own_postgres.dsn)
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory", "rejects")
    await isthmus.ready(ingress, directory)
    async with Load(isthmus).flowing() as load:
        await until(lambda: len(directory.now.lines("batch_applied")) > 5, 30, "in mid-load")
        await asyncio.to_thread(own_postgres.kill if how == "kill" else own_postgres.stop)

        async def red() -> bool:
            return await isthmus.health(directory.now) == 503

        await until(red, 15, "the directory service says that it waits")
        count = len(load.acknowledged)
        await until(lambda: len(load.acknowledged) > count + 400, 30, "ingress goes on without the database")
        await asyncio.to_thread(own_postgres.start)
        back = time.time()
        stand = sum(row[2] for row in (await isthmus.progress()).values())

        async def moves() -> bool:
            return sum(row[2] for row in (await isthmus.progress()).values()) > stand

        await until(moves, 30, "reading again")
        again = time.time() - back
        count = len(load.acknowledged)
        await until(lambda: len(load.acknowledged) > count + 200, 30, "some more load")
    await isthmus.all_applied()
    figure(f"read again {again:.1f} s after it was back, {len(directory.all)} lives; {dict(load.statuses)}")
    assert set(load.statuses) == {200}, load.statuses
    await load.check()
    await isthmus.ledger()
    assert not await isthmus.rows("SELECT FROM dead_letters")
    assert len(ingress.all) == 1, "ingress does not need the database"
