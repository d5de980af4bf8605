"""A whole Isthmus of real processes: ingress with api, directory with rejects, on the session's broker."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from support.local_kafka import free_port

from processor.adapters.kafka.topics import ensure_topics
from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.settings import Settings

WRITE_KEY = "wk_end_to_end_4711"
SECRET = "secret_of_the_tests_4711"
TOKEN = "token_of_the_tests_4711"
DIRECTORY = "POOL_people"
PARTITIONS = 4
DOCUMENT = f"""
version: 1
api_tokens: [{{name: tests, token: {TOKEN}, scopes: ["directory:read"]}}]
directories: [{{id: {DIRECTORY}, name: People, merge_rules: [[extRef]]}}]
sources: [{{id: web, write_key: {WRITE_KEY}}}]
connections:
  - name: crm
    sources: all
    mappings:
      - name: contact
        action: addContactToXmd
        fields:
          directoryId: {DIRECTORY}
          embeddedData: {{"@path": "$.traits.extra"}}
      - name: transaction
        action: upsertContactTransaction
        fields:
          directoryId: {DIRECTORY}
          transactionData: {{"@path": "$.properties"}}
"""


class System:
    """What a test may do with it: send, write past ingress, wait until all is read, ask, look into the database."""

    write_key, token, directory, partitions = WRITE_KEY, TOKEN, DIRECTORY, PARTITIONS

    def __init__(self, env: dict[str, str], folder: Path, document: str = DOCUMENT) -> None:
        self.env = env
        self.document = document
        self.folder = folder
        self.settings = Settings.from_env(env)
        self.url = f"http://127.0.0.1:{self.settings.port}"
        self.bootstrap, self.dsn = self.settings.kafka, self.settings.postgres.get_secret_value()
        self.events = self.settings.topic("segment.events")
        self.rejected = self.settings.topic("segment.rejected")
        self.http: Any = None
        self.db: Any = None
        self._processes: list[subprocess.Popen[bytes]] = []

    async def start(self) -> None:
        await ensure_topics(self.settings)
        await self.apply(self.document)
        for names in (["ingress", "api"], ["directory", "rejects"]):
            with (self.folder / f"{names[0]}.log").open("wb") as log:
                command = [sys.executable, "-m", "processor", "run", *names]
                self._processes.append(
                    subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                )
        self.http = aiohttp.ClientSession(self.url)
        self.db = await asyncpg.connect(self.dsn)
        await self.until(self._path, 60, "the whole path is there")

    async def apply(self, document: str) -> None:
        """One more revision, which the running processes take."""
        pool = await open_pool(self.settings)
        await PostgresRevisions(pool).add(document, "tests")
        await pool.close()

    async def stop(self) -> None:
        """Every process ends by itself, with 0."""
        for process in self._processes:
            process.terminate()
        codes = [await asyncio.to_thread(process.wait, 30) for process in self._processes]
        if self.http is not None:
            await self.http.close()
        if self.db is not None:
            await self.db.close()
        assert codes == [0] * len(codes), self.logs()

    @contextmanager
    def frozen_services(self) -> Iterator[None]:
        """The consumers stand still, so that what is written meanwhile is fetched at once."""
        self._processes[1].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._processes[1].send_signal(signal.SIGCONT)

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3_000:] for path in sorted(self.folder.glob("*.log")))

    async def until(self, condition: Callable[[], Awaitable[Any]], within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while not await condition():
            died = [process.args for process in self._processes if process.poll() is not None]
            assert not died, f"{died}: {self.logs()}"
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}\n{self.logs()}"
            await asyncio.sleep(0.1)

    async def _path(self) -> bool:
        try:
            async with self.http.get("/health/path") as response:
                return bool(response.status == 200)
        except aiohttp.ClientError:
            return False

    async def all_read(self, within_s: float = 30) -> None:
        """Return when the services have applied every record that is on their topics now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        places = [TopicPartition(topic, n) for topic in (self.events, self.rejected) for n in range(PARTITIONS)]
        ends = await consumer.end_offsets(places)
        await consumer.stop()

        async def reached() -> bool:
            rows = await self.db.fetch("SELECT topic, partition, next_offset FROM progress")
            stand = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            return all(stand.get((place.topic, place.partition), -1) >= end for place, end in ends.items())

        await self.until(reached, within_s, f"every record applied: {ends}")

    async def isthmus(self, *arguments: str) -> Any:
        """The JSON that a command prints; it must end with 0."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "processor", *arguments, "--json", env=self.env, stdout=subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0, out
        return orjson.loads(out)

    async def ask(self, path: str, body: Any = None) -> Any:
        """The ``result`` of a call of the read API, by its path or by an address that it gave."""
        headers = {"X-API-TOKEN": TOKEN}
        method = "GET" if body is None else "POST"
        async with self.http.request(method, path, json=body, headers=headers) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return answer["result"]

    async def pages(self, path: str, body: Any = None) -> list[list[Any]]:
        """The elements of every page."""
        found, following = [], path
        while following:
            result = await self.ask(following, body)
            found.append(result["elements"])
            following = result["nextPage"]
        return found


@pytest.fixture
def document() -> str:
    """The configuration that `system` starts with."""
    return DOCUMENT


@pytest.fixture
async def system(broker: Any, topic_prefix: str, database: str, tmp_path: Path, document: str) -> AsyncIterator[System]:
    """Running, configured, and able to take an event the whole way."""
    ours = {
        "ISTHMUS_KAFKA": broker.bootstrap,
        "ISTHMUS_POSTGRES": database,
        "ISTHMUS_TOPIC_PREFIX": topic_prefix,
        "ISTHMUS_TOPIC_PARTITIONS": str(PARTITIONS),
        "ISTHMUS_PORT": str(free_port()),
        "ISTHMUS_PROBE_PORT": "0",
        "ISTHMUS_ASSIGNMENT": "all" if broker.kind == "tansu" else "group",
        "ISTHMUS_LOG_FORMAT": "json",
        "ISTHMUS_SECRET": SECRET,
        "ISTHMUS_REPORT_INTERVAL_S": "1",
        "ISTHMUS_DATA_DIR": str(tmp_path / "data"),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
    made = System({**inherited, **ours}, tmp_path, document)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
