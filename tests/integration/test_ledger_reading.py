"""Ledger, dead letters and processes on a real PostgreSQL: what the commands and the watchers read."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.reading import PostgresQueries
from processor.settings import Settings

pytestmark = pytest.mark.integration

BORN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TOPIC = "01970000-0000-7000-8000-000000000001"
OLD_TOPIC = "01970000-0000-7000-8000-000000000000"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    opened = await open_pool(Settings(postgres=SecretStr(database)))
    yield opened
    await opened.close()


@pytest.fixture
def queries(pool: Any) -> PostgresQueries:
    return PostgresQueries(pool)


async def count(pool: Any, topic_id: str, partition: int, source: str, **classes: int) -> None:
    names = ", ".join(f'"{name}"' for name in classes)
    values = ", ".join(str(number) for number in classes.values())
    await pool.execute(
        f"INSERT INTO ledger (service, topic, topic_id, partition, source, {names})"
        f" VALUES ('directory', 'segment.events', $1, $2, $3, {values})",
        topic_id,
        partition,
        source,
    )


async def test_the_ledger_adds_up(queries: PostgresQueries, pool: Any) -> None:
    """Sums over partitions and incarnations; what is unaccounted for concerns the present incarnation."""
    await pool.executemany(
        "INSERT INTO progress VALUES ('directory', 'segment.events', $1, $2, 1, 'me', $3, $4)",
        [(0, TOPIC, 0, 20), (1, TOPIC, 10, 15)],
    )
    await count(pool, OLD_TOPIC, 0, "web", applied=50)
    await count(pool, TOPIC, 0, "web", applied=10, dead=1, no_match=2, null=1)
    await count(pool, TOPIC, 0, "", expired=4, holes=2)
    await count(pool, TOPIC, 1, "web", applied=4)
    await pool.execute(
        "INSERT INTO ledger_effects (service, topic, topic_id, partition, source, mapping, emitted, changed, repeated)"
        " VALUES ('directory', 'segment.events', $1, 0, 'web', 'm', 3, 2, 1)",
        TOPIC,
    )
    ledger = await queries.ledger()
    nowhere, web_row = ledger.rows
    assert (web_row.source, web_row.applied, web_row.read) == ("web", 64, 68)
    assert (nowhere.read, nowhere.expired, nowhere.holes) == (0, 4, 2)
    assert ledger.unaccounted == {"directory": 1}
    assert [(e.mapping, e.emitted, e.changed) for e in ledger.effects] == [("m", 3, 2)]
    assert [(p.partition, p.next_offset) for p in await queries.progress()] == [(0, 20), (1, 15)]


async def test_dead_letters(queries: PostgresQueries, pool: Any) -> None:
    """Newest first, by any of three filters, the bytes as they came."""
    await pool.executemany(
        'INSERT INTO dead_letters (service, topic, topic_id, partition, "offset", mapping, code, reason, source,'
        " message_id, headers, key, value, received, revision)"
        " VALUES ('directory', 'segment.events', $1, 0, $2, $3, $4, 'why', 'web', 'm', $5, $6, $7, $8, 1)",
        [
            (TOPIC, n, mapping, code, [["source", "web"]], None, b"\xff", BORN)
            for n, mapping, code in ((1, "a", "x"), (2, "a", "y"), (3, "b", "x"))
        ],
    )
    assert [r.offset for r in await queries.dead_letters()] == [3, 2, 1]
    assert [r.offset for r in await queries.dead_letters(limit=1)] == [3]
    assert [r.offset for r in await queries.dead_letters(mapping="a", code="x", source="web")] == [1]
    assert await queries.dead_letters(source="other") == []
    (newest,) = await queries.dead_letters(limit=1)
    row = await queries.dead_letter(newest.id)
    assert row is not None
    assert (row.summary, row.key, row.value, row.headers) == (newest, None, b"\xff", [["source", "web"]])
    assert await queries.dead_letter(newest.id + 1) is None


async def test_processes(queries: PostgresQueries, pool: Any) -> None:
    """As they reported themselves."""
    await pool.execute("INSERT INTO processes (instance, service, revision, state) VALUES ('i', 's', 1, 'running')")
    (process,) = await queries.processes()
    assert (process.instance, process.state, process.details) == ("i", "running", {})
