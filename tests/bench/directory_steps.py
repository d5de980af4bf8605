"""Steps 4 to 6: the same events on the same topic, read by the naive loop, our decision, the blind upsert, and the
directory service in several forms. Interleaved; before a step that writes, the database is brought to rest."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg
from bench import events
from bench.figures import Figure, median
from bench.rig import BenchError, Rig
from bench.stored import store

__all__ = ["decide_loop", "directory", "fill_topic"]

PREFIX = "preloaded."
TOPIC = f"{PREFIX}segment.events"
HOT_PREFIX = "hot."
_HOT = 0.1
"""The share of one person in the events of the hot topic."""
_ONE, _THREE = (events.document(events.RULES[:number]) for number in (1, 3))
_PROGRESS = (
    "SELECT coalesce(sum(next_offset), 0)::bigint, count(DISTINCT owner) FROM progress WHERE service = 'directory'"
)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the directory service: on which topic, how many people its events speak of, on what database."""

    total: int
    people: int
    prefix: str = PREFIX
    processes: int = 1
    stored: int = 0


def fill_topic(rig: Rig, total: int, prefix: str = PREFIX, hot: float = 0.0) -> int:
    """How many people the events speak of."""
    rig.topics(prefix)
    return asyncio.run(events.preload(rig.bootstrap, f"{prefix}segment.events", total, hot))


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


def directory(rig: Rig, *, rounds: int, total: int, stored: int) -> list[Figure]:
    """``stored``: contacts that are in the directory before one of the runs begins; 0: without that run."""
    hot_people = fill_topic(rig, total, HOT_PREFIX, _HOT)
    if stored:
        full = rig.database(_THREE)
        store(full, stored)
    blind: list[float] = []
    rates: dict[str, list[float]] = {}
    most_mb = 0.0
    for _ in range(rounds):
        dsn = rig.database()
        rig.settle()
        answer = rig.measured("loop_blind", rig.bootstrap, TOPIC, dsn, str(total), timeout_s=90)
        blind.append(answer["per_second"])
        plain = _Run(total, answer["people"])
        runs: dict[str, tuple[Callable[[], str], _Run]] = {
            "one": (rig.database, plain),
            "three": (lambda: rig.database(_THREE), plain),
            "two": (rig.database, _Run(total, answer["people"], processes=2)),
            "hot": (rig.database, _Run(total, hot_people, HOT_PREFIX)),
        }
        if stored:
            runs["full"] = (lambda: rig.database(like=full), _Run(total, answer["people"], stored=stored))
        for name, (database, run) in runs.items():
            rate, memory = _service(rig, database(), run)
            rates.setdefault(name, []).append(rate)
            most_mb = max(most_mb, memory)
    figures = [Figure("blind upsert", median(blind), "events/s", note="no matching, no fold, no fence")]
    figures += [
        _figure("directory service", rates["one"], blind, "blind upsert", 0.6, f"one merge rule; {most_mb:.0f} MB"),
        _figure("three merge rules", rates["three"], blind, "blind upsert", 0.4),
        _figure("two processes", rates["two"], rates["one"], "directory service", 1.4),
        _figure("one hot person", rates["hot"], rates["one"], "directory service", 0.8, f"{_HOT:.0%} of the events"),
    ]
    if stored:
        note = f"{stored:,} contacts before"
        figures.append(_figure("full directory", rates["full"], rates["three"], "three merge rules", 0.8, note))
    return figures


def _figure(
    step: str, ours: Sequence[float], theirs: Sequence[float], to: str, needed: float, note: str = ""
) -> Figure:
    """The median of the pairs' ratios is what is judged."""
    ratio = median([our / their for our, their in zip(ours, theirs, strict=True)])
    return Figure(step, median(ours), "events/s", ratio=ratio, to=to, needed=needed, judged=ratio, note=note)


def _service(rig: Rig, dsn: str, run: _Run) -> tuple[float, float]:
    """Events a second of one run over the whole topic, and the memory that a process took."""
    rig.settle()
    services = [rig.starting("directory", dsn=dsn, prefix=run.prefix) for _ in range(run.processes)]
    try:
        rate = asyncio.run(_watched(dsn, run))
        return rate, max(service.peak_mb for service in services)
    finally:
        for service in services:
            service.stop()


async def _watched(dsn: str, run: _Run) -> float:
    """From a tenth of the events, and every process having its share of the partitions, to the last event."""
    connection = await asyncpg.connect(dsn)
    began: tuple[int, float] | None = None
    deadline = time.monotonic() + 180
    try:
        while True:
            done, owners = await connection.fetchrow(_PROGRESS)
            now = time.monotonic()
            if began is None and done * 10 >= run.total and owners == run.processes:
                began = (done, now)
            if done >= run.total:
                break
            if now > deadline:
                raise BenchError(f"the directory service stands at {done} of {run.total} events")
            await asyncio.sleep(0.01)
        if began is None or began[0] >= run.total:
            raise BenchError("the directory service was ready before it could be watched: take more events")
        found = await connection.fetchval("SELECT count(*) FROM contacts")
        if found != run.people + run.stored:
            raise BenchError(f"{found} contacts were made of {run.people} people and {run.stored} stored ones")
        return (run.total - began[0]) / (now - began[1])
    finally:
        await connection.close()
