"""`isthmus run ingress --workers 2`: one port, started afresh under load, without a loss."""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from support.load import AUTHORIZATION, DOCUMENT
from support.local_kafka import Child, free_port
from support.running import PARTITIONS, Isthmus, until

from processor.adapters.kafka.topics import ensure_topics

pytestmark = pytest.mark.integration


class Workers:
    """The parent and its workers, their log lines, and their probes."""

    def __init__(self, isthmus: Isthmus, folder: Path, count: int = 2) -> None:
        self.probe_port = free_port()
        self.count = count
        self.log = folder / "workers.jsonl"
        command = [sys.executable, "-m", "processor", "run", "ingress", "--workers", str(count)]
        self.child = Child(command, self.log, env={**isthmus._env, "ISTHMUS_PROBE_PORT": str(self.probe_port)})

    def lines(self, event: str) -> list[dict[str, Any]]:
        lines = [orjson.loads(line) for line in self.log.read_bytes().splitlines() if line.startswith(b"{")]
        return [line for line in lines if line["event"] == event]

    @property
    def started(self) -> list[int]:
        return [line["pid"] for line in self.lines("process_started")]

    async def probe(self, http: aiohttp.ClientSession, number: int) -> int:
        try:
            async with http.get(f"http://127.0.0.1:{self.probe_port + number}/health/ready") as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def ready(self, http: aiohttp.ClientSession) -> None:
        for number in range(self.count):

            async def answers(number: int = number) -> bool:
                return await self.probe(http, number) == 200

            await until(answers, 40, f"worker {number} is ready: {self.log.read_text()[-2_000:]}")


@asynccontextmanager
async def running(
    broker: Any, database: str, folder: Path, **settings: str
) -> AsyncIterator[tuple[Isthmus, Workers, Any]]:
    isthmus = Isthmus(broker.bootstrap, database, folder, group=False, **settings)
    await ensure_topics(isthmus.settings)
    await isthmus.apply(DOCUMENT)
    workers = Workers(isthmus, folder)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(15)) as http:
            await workers.ready(http)
            yield isthmus, workers, http
    finally:
        workers.child.signal("SIGTERM")
        try:
            assert workers.child._keeper.wait(30) == 0, workers.log.read_text()[-2_000:]
        finally:
            workers.child.kill()


async def on_topic(isthmus: Isthmus) -> Counter[str]:
    """How often each messageId is there."""
    consumer = AIOKafkaConsumer(bootstrap_servers=isthmus.settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    places = [TopicPartition(isthmus.events, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    found: Counter[str] = Counter()
    for place in (place for place in places if ends[place]):
        while await consumer.position(place) < ends[place]:
            batches = await consumer.getmany(place, timeout_ms=500)
            found.update(orjson.loads(record.value)["messageId"] for record in batches.get(place, ()))
    await consumer.stop()
    return found


class Senders:
    """Clients that send one event after the other, and repeat one whose connection broke, as SDKs do."""

    def __init__(self, url: str, *, fresh: bool) -> None:
        self.url = url
        self.fresh = fresh
        self.acknowledged: list[str] = []
        self.broken = 0
        self.statuses: Counter[int] = Counter()
        self.stopping = False

    async def run(self, number: int) -> None:
        """``fresh``: a connection for each request."""
        connector = aiohttp.TCPConnector(force_close=self.fresh)
        timeout = aiohttp.ClientTimeout(15)
        headers = {"Authorization": AUTHORIZATION}
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as http:
            count = 0
            while not self.stopping:
                name = f"{number}-{count}"
                body = {"userId": f"u{number}", "event": "E", "messageId": name}
                try:
                    async with http.post(f"{self.url}/v1/track", json=body) as answer:
                        status = answer.status
                except aiohttp.ClientError:
                    self.broken += 1
                    continue
                self.statuses[status] += 1
                if status == 200:
                    self.acknowledged.append(name)
                    count += 1
                await asyncio.sleep(0.002)


async def test_started_afresh_under_load(broker: Any, database: str, tmp_path: Path) -> None:
    """SIGHUP starts both workers afresh: nobody is refused a connection, all that was acknowledged is there, once."""
    async with running(broker, database, tmp_path) as (isthmus, workers, _http):
        fresh, kept = Senders(isthmus.url, fresh=True), Senders(isthmus.url, fresh=False)
        tasks = [
            asyncio.create_task(senders.run(10 * place + n))
            for place, senders in enumerate((fresh, kept))
            for n in range(8)
        ]
        await asyncio.sleep(1)
        before = set(workers.started)
        assert len(before) == 2
        workers.child.signal("SIGHUP")
        await until(lambda: len(set(workers.started) - before) == 2, 40, "both are new")
        await asyncio.sleep(1)
        fresh.stopping = kept.stopping = True
        await asyncio.gather(*tasks)
        acknowledged = [*fresh.acknowledged, *kept.acknowledged]
        assert len(acknowledged) > 500
        assert set(fresh.statuses) == set(kept.statuses) == {200}
        assert fresh.broken == 0, "a connection was refused or dropped unanswered"
        found = await on_topic(isthmus)
        assert not set(acknowledged) - found.keys(), "lost"
        # A connection that is kept may end between two requests; a request that it swallowed is sent again.
        assert sum(found.values()) <= len(acknowledged) + kept.broken
        assert {code["exit_code"] for code in workers.lines("child_restarted")} == {0}


async def test_one_dies(broker: Any, database: str, tmp_path: Path) -> None:
    """One is killed: the other serves on, it comes again, and each has its own probe port."""
    async with running(broker, database, tmp_path) as (isthmus, workers, http):
        senders = Senders(isthmus.url, fresh=True)
        tasks = [asyncio.create_task(senders.run(n)) for n in range(4)]
        await asyncio.sleep(0.5)
        victim = workers.started[0]
        os.kill(victim, 9)
        await until(lambda: len(workers.started) == 3, 30, "a third one")
        await workers.ready(http)
        senders.stopping = True
        await asyncio.gather(*tasks)
        assert set(senders.statuses) == {200}
        assert not set(senders.acknowledged) - (await on_topic(isthmus)).keys()
        assert {await workers.probe(http, number) for number in (0, 1)} == {200}


async def test_both_serve(broker: Any, database: str, tmp_path: Path) -> None:
    """Connections are shared out: each of the two answers some, and a limit holds for both together."""
    async with running(broker, database, tmp_path) as (isthmus, workers, http):

        async def post() -> int:
            connector = aiohttp.TCPConnector(force_close=True)
            async with (
                aiohttp.ClientSession(connector=connector) as fresh,
                fresh.post(
                    f"{isthmus.url}/v1/track",
                    json={"userId": "u", "event": "E"},
                    headers={"Authorization": AUTHORIZATION},
                ) as answer,
            ):
                return answer.status

        assert [await post() for _ in range(40)] == [200] * 40
        counts = []
        for number in range(2):
            async with http.get(f"http://127.0.0.1:{workers.probe_port + number}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            (line,) = [line for line in lines if line.startswith('isthmus_ingress_requests_total{source="web"')]
            counts.append(float(line.split()[-1]))
        assert sum(counts) == 40
        assert min(counts) > 0

        await isthmus.apply(DOCUMENT.replace("write_key: wk", "limits: {requests_per_s: 4}, write_key: wk"))
        await until(lambda: len(workers.lines("revision_applied")) == 4, 10, "both took the revision")
        started = time.monotonic()
        taken = sum([await post() == 200 for _ in range(60)])
        assert 4 <= taken <= 4 + 4 * (time.monotonic() - started) + 2


def test_for_ingress_alone(tmp_path: Path) -> None:
    """Several processes of something else: exit 78 and a sentence."""
    env = {"PATH": os.environ["PATH"], "ISTHMUS_KAFKA": "127.0.0.1:9", "ISTHMUS_POSTGRES": "postgresql://127.0.0.1:9/x"}
    command = [sys.executable, "-P", "-m", "processor", "run", "ingress", "api", "--workers", "2"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)
    assert done.returncode == 78
    assert "ISTHMUS_WORKERS=2" in done.stderr
