"""Segment's SDKs, and one that speaks as they do, unmodified: every call arrives once, and all when Kafka stalls."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from clients.calls import CALLS, COUNT, check, number_of
from support import npm
from support.lacking import lacking
from support.load import DOCUMENT, WRITE_KEY
from support.running import PARTITIONS, Isthmus

from processor.adapters.kafka.topics import ensure_topics

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

PACKAGES = (
    "@segment/analytics-node@3.1.0",
    "@segment/analytics-next@1.84.3",
    "@rudderstack/rudder-sdk-node@3.0.13",
    "playwright-core@1.65.1",
)
HERE = Path(__file__).parent
WITHIN_S = 120.0
AWAY_S = 5.0


@dataclass(frozen=True)
class Client:
    """A program that makes the calls, and the name by which its library calls itself."""

    script: str
    library: str
    env: dict[str, str] = field(default_factory=dict)

    def command(self) -> tuple[Sequence[str], Path]:
        """What to run, and where. Skips with one line where it cannot be."""
        script = str(HERE / self.script)
        if self.script.endswith(".py"):
            return (sys.executable, script), HERE
        if missing := npm.lacking_node("the SDKs for JavaScript"):
            lacking(missing)
        if self.script == "analytics_next.mjs" and not shutil.which("chromium"):
            lacking("chromium, to run the SDK of browsers")
        return ("node", script), npm.installed("sdks", PACKAGES)


CLIENTS = {
    "analytics-node": Client("analytics_node.mjs", "@segment/analytics-node"),
    "analytics-next": Client("analytics_next.mjs", "analytics.js"),
    "analytics-next, same origin": Client("analytics_next.mjs", "analytics.js", {"SAME_ORIGIN": "1"}),
    "rudder-sdk-node": Client("rudder_sdk_node.mjs", "analytics-node"),
    "analytics-python": Client("analytics_python.py", "analytics-python"),
}


@asynccontextmanager
async def ingress(bootstrap: str, database: str, folder: Path) -> AsyncIterator[Isthmus]:
    isthmus = Isthmus(bootstrap, database, folder, group=False)
    await ensure_topics(isthmus.settings)
    await isthmus.apply(DOCUMENT)
    kept = isthmus.keep("ingress")
    try:
        await isthmus.ready(kept)
        yield isthmus
    finally:
        await isthmus.close()


class Run:
    """A client at work."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    async def until(self, word: str) -> None:
        line = await asyncio.wait_for(self._out.readline(), WITHIN_S)
        assert line.decode().strip() == word, line

    def go_on(self) -> None:
        self._in.write(b"\n")

    async def ended(self) -> int:
        return await asyncio.wait_for(self._process.wait(), WITHIN_S)


@asynccontextmanager
async def running(client: Client, isthmus: Isthmus, folder: Path) -> AsyncIterator[Run]:
    command, place = await asyncio.to_thread(client.command)
    calls = folder / "calls.json"
    calls.write_text(json.dumps(CALLS))
    ours = {"ISTHMUS": isthmus.url, "WRITE_KEY": WRITE_KEY, "CALLS": str(calls)}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=place,
        env={**os.environ, **ours, **client.env, "CHROMIUM": shutil.which("chromium") or ""},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Run(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def arrived(isthmus: Isthmus, count: int, *, once: bool = False) -> list[dict[str, Any]]:
    """The events on the topic, as soon as so many calls are there; a second later when none may come twice."""
    return await _read(isthmus, lambda found: len({number_of(event) for event in found}) >= count, once=once)


async def arrived_any(isthmus: Isthmus, count: int) -> list[dict[str, Any]]:
    """So many events, whatever they are, and what comes within another second."""
    return await _read(isthmus, lambda found: len(found) >= count, once=True)


async def _read(
    isthmus: Isthmus, enough: Callable[[list[dict[str, Any]]], bool], *, once: bool
) -> list[dict[str, Any]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=isthmus.settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(isthmus.events, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        found: list[dict[str, Any]] = []
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while not enough(found):
            assert asyncio.get_running_loop().time() < deadline, f"{len(found)} events"
            batches = await consumer.getmany(timeout_ms=300)
            found += [orjson.loads(record.value) for records in batches.values() for record in records]
        if once:
            batches = await consumer.getmany(timeout_ms=1_000)
            found += [orjson.loads(record.value) for records in batches.values() for record in records]
        return found
    finally:
        await consumer.stop()


@pytest.mark.parametrize("name", CLIENTS)
async def test_every_call_once(name: str, broker: Any, database: str, tmp_path: Path) -> None:
    """500 calls of all six types: each on the topic once, with type, ids, time and library."""
    client = CLIENTS[name]
    async with ingress(broker.bootstrap, database, tmp_path) as isthmus, running(client, isthmus, tmp_path) as run:
        await run.until("half")
        run.go_on()
        await run.until("sent")
        await arrived(isthmus, COUNT)
        run.go_on()
        assert await run.ended() == 0
        check(await arrived(isthmus, COUNT, once=True), client.library)


@pytest.mark.parametrize("name", [name for name in CLIENTS if "same" not in name])
@pytest.mark.timeout(300)
async def test_kafka_stands_still(name: str, own_broker: Any, database: str, tmp_path: Path) -> None:
    """Kafka stands still for five seconds in the middle of the calls: the SDK sends again, and still all arrive."""
    client = CLIENTS[name]
    async with ingress(own_broker.bootstrap, database, tmp_path) as isthmus, running(client, isthmus, tmp_path) as run:
        await run.until("half")
        own_broker.freeze()
        try:
            run.go_on()
            await asyncio.sleep(AWAY_S)
        finally:
            own_broker.thaw()
        await run.until("sent")
        events = await arrived(isthmus, COUNT)
        run.go_on()
        assert await run.ended() == 0
        # What was on its way as Kafka stopped may be there twice, by one messageId: 503 means that nobody knows.
        check(events, client.library, once=False)
