"""Steps 4 to 6: the same events on the same topic, read by the naive loop, our decision, the blind upsert, and the
directory service. Interleaved; before a step that writes, the database is brought to rest."""

import asyncio
import time

import asyncpg
from bench import events
from bench.figures import Figure, median
from bench.rig import BenchError, Rig

__all__ = ["decide_loop", "directory", "fill_topic"]

PREFIX = "preloaded."
TOPIC = f"{PREFIX}segment.events"
_PROGRESS = "SELECT coalesce(sum(next_offset), 0)::bigint FROM progress WHERE service = 'directory'"


def fill_topic(rig: Rig, total: int) -> None:
    rig.topics(PREFIX)
    asyncio.run(events.preload(rig.bootstrap, TOPIC, total))


def decide_loop(rig: Rig, *, rounds: int, total: int) -> list[Figure]:
    naive: list[float] = []
    ours: list[float] = []
    for _ in range(rounds):
        out = f"{PREFIX}segment.rejected"
        naive.append(rig.measured("loop_naive", rig.bootstrap, TOPIC, out, str(total), timeout_s=60)["per_second"])
        answer = rig.measured("loop_ours", rig.bootstrap, PREFIX, str(total), timeout_s=60)
        ours.append(answer["per_second"])
        if answer["effects"] != total // 2:
            raise BenchError(f"{answer['effects']} of {total // 2} events were decided on")
    ratio = median([our / their for our, their in zip(ours, naive, strict=True)])
    return [
        Figure("naive loop", median(naive), "events/s", note="consume, parse, map, produce"),
        Figure("decide loop", median(ours), "events/s", ratio=ratio, to="naive loop", needed=0.8, judged=ratio),
    ]


def directory(rig: Rig, *, rounds: int, total: int) -> list[Figure]:
    blind: list[float] = []
    ours: list[float] = []
    notes = []
    for _ in range(rounds):
        dsn = rig.database()
        rig.settle()
        answer = rig.measured("loop_blind", rig.bootstrap, TOPIC, dsn, str(total), timeout_s=90)
        blind.append(answer["per_second"])
        rate, memory = _service(rig, total, answer["people"])
        ours.append(rate)
        notes.append(memory)
    ratio = median([our / their for our, their in zip(ours, blind, strict=True)])
    return [
        Figure("blind upsert", median(blind), "events/s", note="no matching, no fold, no fence"),
        Figure(
            "directory service",
            median(ours),
            "events/s",
            ratio=ratio,
            to="blind upsert",
            needed=0.4,
            judged=ratio,
            note=f"{max(notes):.0f} MB",
        ),
    ]


def _service(rig: Rig, total: int, people: int) -> tuple[float, float]:
    """Events a second of one run over the whole topic, and the memory that it took."""
    dsn = rig.database()
    rig.settle()
    service = rig.service("directory", dsn=dsn, prefix=PREFIX)
    try:
        rate = asyncio.run(_watched(dsn, total, people))
        return rate, service.peak_mb
    finally:
        service.stop()


async def _watched(dsn: str, total: int, people: int) -> float:
    connection = await asyncpg.connect(dsn)
    began: tuple[int, float] | None = None
    deadline = time.monotonic() + 180
    try:
        while True:
            done, now = await connection.fetchval(_PROGRESS), time.monotonic()
            if began is None and done * 10 >= total:
                began = (done, now)
            if done >= total:
                break
            if now > deadline:
                raise BenchError(f"the directory service stands at {done} of {total} events")
            await asyncio.sleep(0.01)
        if began is None or began[0] >= total:
            raise BenchError("the directory service was ready before it could be watched: take more events")
        found = await connection.fetchval("SELECT count(*) FROM contacts")
        if found != people:
            raise BenchError(f"{found} contacts were made of {people} people")
        return (total - began[0]) / (now - began[1])
    finally:
        await connection.close()
