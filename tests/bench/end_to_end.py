"""Step 7: HTTP to its effect, everything at once on this machine.

Full load: wrk posts batches of fresh events as fast as ingress takes them; the figure is all of them divided by the
time from the first request until the last one is applied. Half load: half of that, evenly, and single events beside
it whose way is timed from just before the request to the first query that sees the effect.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import count

import aiohttp
import asyncpg
from bench import events
from bench.figures import Figure
from bench.rig import BenchError, Rig

__all__ = ["end_to_end"]

PREFIX = "whole."
TEMPLATES = (events.IDENTIFY, events.PURCHASE)
_APPLIED = "SELECT coalesce(sum(applied), 0)::bigint FROM ledger WHERE service = 'directory'"
_PROBE_EVERY_S = 0.05
_LOOK_EVERY_S = 0.005
_SEEN = (
    "SELECT message_id FROM transactions WHERE message_id = ANY ($1::text[])"
    " UNION ALL SELECT split_part(email, '@', 1) FROM contacts WHERE dir = 1 AND lower(btrim(email)) = ANY ($2::text[])"
)


def end_to_end(rig: Rig, *, seconds: float, half_seconds: float) -> list[Figure]:
    rig.topics(PREFIX)
    dsn = rig.database()
    rig.settle()
    ingress = rig.service("ingress", dsn=dsn, prefix=PREFIX)
    directory = rig.service("directory", dsn=dsn, prefix=PREFIX)
    url = f"http://127.0.0.1:{ingress.port}/v1"
    try:
        began = time.monotonic()
        load = rig.wrk("fresh", "\n".join(TEMPLATES).encode(), f"{url}/batch", seconds)
        applied, until = asyncio.run(_drained(dsn, load.requests * 100))
        rate = applied / (until - began)
        sent, ways = asyncio.run(_half(dsn, url, rate / 2, half_seconds))
        memory = f"ingress {ingress.peak_mb:.0f} MB, directory {directory.peak_mb:.0f} MB"
    finally:
        ingress.stop()
        directory.stop()
    ways.sort()
    p50, p95 = (ways[int(len(ways) * part)] * 1_000 for part in (0.5, 0.95))
    note = f"posted at {load.per_second * 100:,.0f}/s; {memory}" + (f", {load.failed} failed" if load.failed else "")
    half = f"at {sent:,.0f} events/s, {len(ways)} probes"
    return [
        Figure("end to end", rate, "events/s", needed=12_000, judged=rate, note=note),
        Figure("visible, p50", p50, "ms", note=half),
        Figure("visible, p95", p95, "ms", needed=300, judged=p95, at_most=True, note=half),
    ]


async def _drained(dsn: str, least: int) -> tuple[int, float]:
    """Events applied when nothing more comes, and since when that is so."""
    connection = await asyncpg.connect(dsn)
    applied, since = -1, time.monotonic()
    try:
        while True:
            found, now = await connection.fetchval(_APPLIED), time.monotonic()
            if found != applied:
                applied, since = found, now
            elif applied >= least and now - since > 1:
                return applied, since
            elif now - since > 30:
                raise BenchError(f"{applied} of {least} events were applied, and no more come")
            await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def _half(dsn: str, url: str, rate: float, seconds: float) -> tuple[float, list[float]]:
    """Events a second that were posted, and the seconds until visible of the probes."""
    connection = await asyncpg.connect(dsn)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": events.authorization()}) as session:
        end = time.monotonic() + seconds
        probes: dict[str, float] = {}
        ways: list[float] = []
        looking = asyncio.create_task(_look(connection, probes, ways))
        probing = asyncio.create_task(_probe(session, url, probes, end))
        sent = await _paced(session, url, rate, end)
        await probing
        for _ in range(1_000):
            if not probes:
                break
            await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    await connection.close()
    if probes or not ways:
        raise BenchError(f"{len(probes)} probes never became visible")
    return sent / seconds, ways


async def _paced(session: aiohttp.ClientSession, url: str, rate: float, end: float) -> int:
    """Post batches of 100 at even intervals, whether or not the last ones were answered; events sent."""
    began, sent = time.monotonic(), 0
    flying: set[asyncio.Task[None]] = set()
    while time.monotonic() < end:
        body = events.batch_of(TEMPLATES, f"paced-{began}-{sent}", 100)
        task = asyncio.create_task(_post(session, f"{url}/batch", body))
        flying.add(task)
        task.add_done_callback(flying.discard)
        sent += 100
        await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
    await asyncio.gather(*flying)
    return sent


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    async with session.post(url, data=body) as answer:
        if answer.status != 200:
            raise BenchError(f"ingress answered {answer.status} at half load")


def _probes() -> Iterator[tuple[str, str, str]]:
    """(name, call, body): a person or a transaction in turn, each with a name that the database can be asked for."""
    for number in count():
        if number % 2:
            yield (name := f"probe-{number}"), "track", events.fill(events.PURCHASE, name, number, events.now())
        else:
            text = events.fill(events.IDENTIFY, f"probe-{number}", number, events.now())
            yield (name := f"probe-{number}"), "identify", text.replace(f"user-{number}", name)


async def _probe(session: aiohttp.ClientSession, url: str, probes: dict[str, float], end: float) -> None:
    for name, call, body in _probes():
        if time.monotonic() >= end:
            return
        probes[name] = time.monotonic()
        await _post(session, f"{url}/{call}", body.encode())
        await asyncio.sleep(_PROBE_EVERY_S)


async def _look(connection: asyncpg.Connection, probes: dict[str, float], ways: list[float]) -> None:
    while True:
        if probes:
            names = list(probes)
            rows = await connection.fetch(_SEEN, names, [f"{name}@example.com" for name in names])
            now = time.monotonic()
            ways += [now - probes.pop(row[0]) for row in rows]
        await asyncio.sleep(_LOOK_EVERY_S)
