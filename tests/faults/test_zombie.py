"""A process that is frozen inside its transaction, overtaken, and then wakes."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from zlib import crc32

import pytest
from support.holding import inside_transactions
from support.load import Load, document, mapping
from support.running import PARTITIONS, Isthmus, Kept, moment, until

SESSION_MS = 6_000  # the least that Apache Kafka allows


async def settled(isthmus: Isthmus, *services: Kept) -> None:
    """Return when each partition has one of these owners, each of them has some, and all partitions move."""
    names: set[str] = set()

    async def dealt() -> Any:
        nonlocal names
        names = {service.now.instance for service in services}
        stand = await isthmus.progress()
        owners = {owner for owner, _, _ in stand.values()}
        return stand if len(stand) == PARTITIONS and owners == names else None

    while True:
        before = await until(dealt, 60, f"{names} own all partitions")

        async def moved(before: Any = before) -> Any:
            stand = await isthmus.progress()
            same = all(stand[number][:2] == before[number][:2] for number in before)
            return "dealt anew" if not same else all(stand[number][2] > before[number][2] for number in before)

        if await until(moved, 30, "all partitions move") is True:
            return


def shared(partition: int) -> dict[str, Any]:
    """An event on this partition that writes the contact which events on all partitions write."""
    user = next(
        f"user-{number}" for number in range(1_000) if crc32(f"user-{number}".encode()) % PARTITIONS == partition
    )
    return {"type": "track", "event": "Shared", "userId": user}


def found_out(lines: list[dict[str, Any]]) -> bool:
    return any(line["event"] in ("partition_fenced", "service_restarted", "partitions_assigned") for line in lines)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cache", ["512", "0"])
async def test_a_zombie_cannot_write(
    start: Any, kafka: Any, database: str, figure: Callable[[str], None], cache: str
) -> None:
    """Two directory processes, one frozen inside its transaction for longer than its session: the other, which
    writes the same contact, goes on within 5 s and takes everything over; the zombie writes nothing when it wakes,
    and the partitions settle. Without a cache of statements it freezes between preparing and executing."""
    changing = '{at: {"@path": "$.messageId"}}'
    one_contact = document(mapping("shared", "Shared", extRef='{"@literal": shared}', embeddedData=changing))
    isthmus = await start(
        kafka, database, one_contact, session_timeout_ms=str(SESSION_MS), postgres_statement_cache=cache
    )
    ingress, one, two = isthmus.keep("ingress"), isthmus.keep("directory"), isthmus.keep("directory")
    await isthmus.ready(ingress, one, two)
    load = Load(isthmus, events_s=300)
    load.apart = {"shared"}
    async with load.flowing():
        await settled(isthmus, one, two)
        zombie, other = one.now, two.now
        owners = {owner: number for number, (owner, _, _) in (await isthmus.progress()).items()}
        load.more = [shared(owners[zombie.instance])]
        count = load.statuses[200]
        await until(lambda: load.statuses[200] > count + 20, 10, "the zombie writes the contact")
        async with inside_transactions(isthmus, 2):
            zombie.freeze()
        frozen = time.time()
        load.more = [shared(owners[other.instance])]
        before = await isthmus.progress()
        await settled(isthmus, two)
        taken = time.time() - frozen
        after = await isthmus.progress()
        lost = [number for number, (owner, _, _) in before.items() if owner == zombie.instance]
        assert all(after[number][1] > before[number][1] for number in lost)
        length = len(zombie.lines())
        zombie.thaw()
        thawed = time.time()
        await until(lambda: not zombie.alive or found_out(zombie.lines()[length:]), 20, "it finds out")
        await settled(isthmus, one, two)
        settled_s = time.time() - thawed
    await isthmus.all_applied()
    said = [line["event"] for line in zombie.lines()[length:]]
    woken = said[: said.index("partition_admitted")] if "partition_admitted" in said else said
    assert "batch_applied" not in woken
    times = [moment(line) for line in other.lines("batch_applied") if moment(line) > frozen - 1]
    blocked = max(after - before for before, after in pairwise(times))
    figure(f"the other blocked {blocked:.1f} s, took over in {taken:.1f} s, settled {settled_s:.1f} s after; {woken}")
    assert set(load.statuses) == {200}, load.statuses
    await load.check()
    await isthmus.ledger()
    assert blocked <= 5, times


async def test_the_second_process_takes_over_and_back(
    start: Any, tansu: Any, database: str, figure: Callable[[str], None]
) -> None:
    """Where one process reads everything, the next one stands by, ready. It takes over from one that is frozen,
    which then stands by itself, and reads on at once when the other is killed."""
    isthmus = await start(tansu, database)
    ingress, one = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, one)
    two = isthmus.keep("directory")
    async with Load(isthmus).flowing() as load:
        await settled(isthmus, one)
        await isthmus.ready(two)
        assert not two.now.lines("partition_admitted")
        one.now.freeze()
        frozen = time.time()
        await settled(isthmus, two)
        taken = moment(two.now.lines("batch_applied")[0]) - frozen
        one.now.thaw()
        await until(lambda: one.now.lines("service_restarted"), 20, "it finds out")
        await isthmus.ready(one)
        count = len(one.now.lines("batch_applied"))
        killed = time.time()
        two.end()
        await settled(isthmus, one)
        back = moment(one.now.lines("batch_applied")[count]) - killed
    await isthmus.all_applied()
    figure(f"took over from a frozen one in {taken:.1f} s, from a killed one in {back:.1f} s")
    assert back <= 5
    await load.check()
    await isthmus.ledger()


async def test_a_process_that_stands_by_stops_at_once(
    start: Any, tansu: Any, database: str, figure: Callable[[str], None]
) -> None:
    """Also when it has read before: there is no batch in its hands to wait for."""
    isthmus = await start(tansu, database)
    one = isthmus.keep("directory")
    await isthmus.ready(one)
    two = isthmus.keep("directory")
    await isthmus.ready(two)
    one.now.freeze()
    await until(lambda: two.now.lines("partition_admitted"), 20, "the second takes over")
    one.now.thaw()
    await until(lambda: one.now.lines("service_restarted"), 20, "the first finds out")
    await isthmus.ready(one)
    began = time.monotonic()
    await isthmus.close()
    took = time.monotonic() - began
    figure(f"both stopped within {took:.1f} s")
    assert took < 5
