"""The directory service killed in mid-load, as often as one likes."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from support.holding import inside_transactions
from support.ledger_from_logs import ledger_from_logs
from support.load import Load, document, mapping
from support.running import Isthmus, Kept, moment, until

READING_AGAIN_S = 5.0


async def kill_in_mid_load(isthmus: Isthmus, directory: Kept, batches: int, inside: int = 0) -> float:
    """SIGKILL after so many batches of its present life, wherever it is then, or while so many of its services
    are ``inside`` their transactions; the seconds until its next life applied one."""
    victim = directory.now
    await until(lambda: len(victim.lines("batch_applied")) > batches, 30, f"batches: {victim.log}")
    async with inside_transactions(isthmus, inside) if inside else nullcontext():
        killed = time.time()
        victim.kill()
    await until(lambda: directory.now is not victim, 5, "it is started again")
    first = (await until(lambda: directory.now.lines("batch_applied"), 30, f"reading again: {directory.now.log}"))[0]
    return moment(first) - killed


@pytest.mark.timeout(240)
async def test_kills_lose_nothing_and_double_nothing(
    start: Any, each_broker: Any, database: str, kills: int, figure: Callable[[str], None]
) -> None:
    """SIGKILL in mid-load, again and again: every acknowledged event is applied exactly once, the ledger adds up,
    and reading goes on within 5 s of each kill."""
    isthmus = await start(each_broker, database)
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, directory)
    async with Load(isthmus).flowing() as load:
        gaps = [await kill_in_mid_load(isthmus, directory, n % 4, inside=n % 2) for n in range(kills)]
    await isthmus.all_applied()
    figure(f"reading again after {' '.join(f'{gap:.1f}' for gap in gaps)} s; {2 * len(load.acknowledged)} events")
    assert set(load.statuses) == {200}, load.statuses
    await load.check()
    await isthmus.ledger()
    assert max(gaps) <= READING_AGAIN_S, gaps


async def test_the_ledger_is_rebuilt_from_the_logs_alone(
    start: Any, kafka: Any, database: str, figure: Callable[[str], None]
) -> None:
    """Over two kills, with records that are applied, filtered and dead: the lines give what the database says."""
    odd = mapping("odd", "Odd", embeddedData='{"@path": "$.userId"}')
    isthmus = await start(kafka, database, document(odd))
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory", "rejects")
    await isthmus.ready(ingress, directory)
    load = Load(isthmus)
    load.more = [
        {"type": "page", "userId": "user-0", "name": "Home"},
        {"type": "track", "userId": "user-1", "event": "Odd"},
        {"type": "nonsense"},
    ]
    async with load.flowing():
        for number in range(2):
            await kill_in_mid_load(isthmus, directory, 2 + number, inside=2 * number)
        last = directory.now
        await until(lambda: len(last.lines("batch_applied")) > 5, 30, "some more batches")
    await isthmus.all_applied()
    records = (await isthmus.ledger())["records"]
    await until(lambda: ledger_from_logs(isthmus.lines()) == records, 5, f"the same ledger from the lines: {records}")
    row = next(row for row in records if row["service"] == "directory")
    figure(f"{row['read']} records read, {row['dead']} dead, from {len(directory.all)} logs")
    assert row["applied"] == 2 * len(load.acknowledged)
    assert row["dead"] == row["filtered"]["no_match"] == load.statuses[200]
    await load.check()
