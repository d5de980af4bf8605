"""Steps 4 to 6: the same events on the same topic, read by the naive loop, our decision, the blind upsert, and the
directory service in several forms. Interleaved; before a step that writes, the database is brought to rest."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg
from bench import events
from bench.figures import Figure, median
from bench.rig import BenchError, Rig, Service
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


class _Measured(NamedTuple):
    """``cpu_us``: of the service's processes, for each event; ``peak_mb``: of the largest of them."""

    rate: float
    cpu_us: float
    peak_mb: float


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
    measured: dict[str, list[_Measured]] = defaultdict(list)
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
            measured[name].append(_service(rig, database(), run))
    rates = {name: [each.rate for each in runs] for name, runs in measured.items()}

    def figure(step: str, name: str, theirs: Sequence[float], to: str, needed: float, note: str) -> Figure:
        """The median of the pairs' ratios is what is judged."""
        ratio = median([our / their for our, their in zip(rates[name], theirs, strict=True)])
        spent = f"{note}; {median([each.cpu_us for each in measured[name]]):.1f} µs of CPU an event"
        return Figure(step, median(rates[name]), "events/s", ratio, to, needed, ratio, note=spent)

    most = max(each.peak_mb for runs in measured.values() for each in runs)
    figures = [
        Figure("blind upsert", median(blind), "events/s", note="no matching, no fold, no fence"),
        figure("directory service", "one", blind, "blind upsert", 0.6, f"one merge rule; {most:.0f} MB"),
        figure("three merge rules", "three", blind, "blind upsert", 0.4, "three keys a person"),
        figure("two processes", "two", rates["one"], "directory service", 1.4, "both together"),
        figure("one hot person", "hot", rates["one"], "directory service", 0.8, f"{_HOT:.0%} of the events"),
    ]
    if stored:
        note = f"{stored:,} contacts before"
        figures.append(figure("full directory", "full", rates["three"], "three merge rules", 0.8, note))
    return figures


def _service(rig: Rig, dsn: str, run: _Run) -> _Measured:
    """One run over the whole topic."""
    rig.settle()
    services = [rig.starting("directory", dsn=dsn, prefix=run.prefix) for _ in range(run.processes)]
    try:
        rate, cpu_us = asyncio.run(_watched(dsn, run, services))
        return _Measured(rate, cpu_us, max(service.peak_mb for service in services))
    finally:
        for service in services:
            service.stop()


async def _watched(dsn: str, run: _Run, services: Sequence[Service]) -> tuple[float, float]:
    """Events a second and µs of CPU an event, of all processes: from a tenth of the events, and every process having
    its share of the partitions, to the last event."""
    connection = await asyncpg.connect(dsn)
    began: tuple[int, float, float] | None = None
    deadline = time.monotonic() + 180
    try:
        while True:
            done, owners = await connection.fetchrow(_PROGRESS)
            now, spent = time.monotonic(), sum(service.cpu_s for service in services)
            if began is None and done * 10 >= run.total and owners == run.processes:
                began = (done, now, spent)
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
        events_ = run.total - began[0]
        return events_ / (now - began[1]), (spent - began[2]) * 1e6 / events_
    finally:
        await connection.close()
