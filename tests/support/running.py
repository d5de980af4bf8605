"""Real Isthmus processes for tests that kill them: started, started again, killed by pid, their log lines read back."""

import asyncio
import contextlib
import inspect
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import aiohttp
import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from support.local_kafka import Child, free_port

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.settings import Settings

__all__ = ["PARTITIONS", "Isthmus", "Kept", "Service", "moment", "until"]

PARTITIONS = 4
AWAY, KILLED = 75, 256 - 9
STOP_S = 20


async def until(condition: Callable[[], Any], within_s: float, what: str, pause_s: float = 0.05) -> Any:
    """The first true value of ``condition``, which may be a coroutine function."""
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(pause_s)


def moment(line: dict[str, Any]) -> float:
    """When a log line was written, in seconds since 1970."""
    return datetime.fromisoformat(line["timestamp"]).timestamp()


class Service:
    """One process of `isthmus run NAME…`; its log is its own file, its instance name its own."""

    def __init__(self, names: Sequence[str], env: dict[str, str], folder: Path) -> None:
        self.instance = f"{names[0]}-{token_hex(3)}"
        serves = "ingress" in names or "api" in names
        self.port = int(env["ISTHMUS_PORT"]) if serves else free_port()
        self.log = folder / f"{self.instance}.jsonl"
        own = {"ISTHMUS_INSTANCE": self.instance, "ISTHMUS_PROBE_PORT": str(self.port)}
        self._child = Child([sys.executable, "-m", "processor", "run", *names], self.log, env={**env, **own})

    @property
    def alive(self) -> bool:
        return bool(self._child.alive)

    @property
    def status(self) -> int:
        """The exit code of one that has ended; 256 less the signal for one that was killed."""
        return int(self._child._keeper.wait())

    def kill(self) -> None:
        self._end("SIGKILL")

    def stop(self) -> None:
        """In order; SIGKILL to one that takes longer than it may."""
        self._end("SIGTERM")

    def _end(self, signal: str) -> None:
        self._child.signal(signal)
        # The keeper has the exit code only of a process that ended before it was told to end it itself.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child._keeper.wait(STOP_S)
        self._child.kill()

    def freeze(self) -> None:
        self._child.freeze()

    def thaw(self) -> None:
        self._child.thaw()

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """Its log lines of these events, or all; what a kill cut off is not one."""
        found = []
        for text in self.log.read_bytes().split(b"\n") if self.log.exists() else ():
            with contextlib.suppress(orjson.JSONDecodeError):
                line = orjson.loads(text)
                if not events or line["event"] in events:
                    found.append(line)
        return found


class Kept:
    """A process that is started again whenever it ends, as a supervisor does; ``all`` are its lives, the last runs."""

    def __init__(self, start: Callable[[], Service]) -> None:
        self._start = start
        self.all = [start()]
        self.stopping = False
        self.ends_with = 0

    @property
    def now(self) -> Service:
        return self.all[-1]

    def end(self) -> None:
        """SIGKILL, and nobody starts it again."""
        self.stopping, self.ends_with = True, KILLED
        self.now.kill()

    async def keep(self) -> None:
        while not self.stopping:
            if not self.now.alive:
                await asyncio.to_thread(self.now.stop)
                self.all.append(await asyncio.to_thread(self._start))
            await asyncio.sleep(0.02)


class Isthmus:
    """An installation on a broker and a migrated database, both the test's own business."""

    def __init__(self, bootstrap: str, dsn: str, folder: Path, *, group: bool, **more: str) -> None:
        ours = {
            "ISTHMUS_KAFKA": bootstrap,
            "ISTHMUS_POSTGRES": dsn,
            "ISTHMUS_TOPIC_PREFIX": f"t{token_hex(3)}.",
            "ISTHMUS_TOPIC_PARTITIONS": str(PARTITIONS),
            "ISTHMUS_PORT": str(free_port()),
            "ISTHMUS_ASSIGNMENT": "group" if group else "all",
            "ISTHMUS_LOG_FORMAT": "json",
            "ISTHMUS_REPORT_INTERVAL_S": "1",
            "ISTHMUS_DATA_DIR": str(folder / "data"),
            "PYTHONSAFEPATH": "1",  # the installed wheel, not the folder that pytest was started in
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
        self._env = {**inherited, **ours, **{f"ISTHMUS_{name.upper()}": value for name, value in more.items()}}
        self._folder = folder
        self._kept: list[Kept] = []
        self._keepers: list[asyncio.Task[None]] = []
        self.settings = Settings.from_env(self._env)
        self.dsn = dsn
        self.events = self.settings.topic("segment.events")
        self.url = f"http://127.0.0.1:{self.settings.port}"

    def keep(self, *names: str) -> Kept:
        """Ingress is at ``url`` in each of its lives; an api without it at a port of its own, ``now.port``."""
        env = self._env
        if "api" in names and "ingress" not in names:
            env = {**env, "ISTHMUS_PORT": str(free_port())}
        kept = Kept(lambda: Service(names, env, self._folder))
        self._kept.append(kept)
        self._keepers.append(asyncio.create_task(kept.keep()))
        return kept

    async def close(self) -> None:
        """Stop everything. Raises AssertionError when a process ended on its way for another reason than that
        something was away or that it was killed, or did not stop in order."""
        for kept in self._kept:
            kept.stopping = True
        await asyncio.gather(*self._keepers)
        await asyncio.gather(*(asyncio.to_thread(kept.now.stop) for kept in self._kept))
        early = [(life.instance, life.status) for kept in self._kept for life in kept.all[:-1]]
        wrong = [end for end in early if end[1] not in (AWAY, KILLED)]
        wrong += [(k.now.instance, k.now.status) for k in self._kept if k.now.status != k.ends_with]
        assert not wrong, f"{wrong}\n{self.said(wrong)}"

    def said(self, wrong: list[tuple[str, int]]) -> str:
        """The end of the logs of these, for an error message."""
        return "\n".join((self._folder / f"{instance}.jsonl").read_text()[-3_000:] for instance, _ in wrong)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every log line of every process that was started here."""
        for kept in self._kept:
            for life in kept.all:
                yield from life.lines()

    async def apply(self, document: str) -> int:
        pool = await open_pool(self.settings)
        try:
            return (await PostgresRevisions(pool).add(document, "tests")).number
        finally:
            await pool.close()

    async def health(self, service: Service, probe: str = "ready") -> int:
        """The status of a probe; 0 when nobody answers."""
        try:
            timeout = aiohttp.ClientTimeout(2)
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.get(f"http://127.0.0.1:{service.port}/health/{probe}") as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def ready(self, *kept: Kept, within_s: float = 30) -> None:
        for one in kept:

            async def is_ready(one: Kept = one) -> bool:
                return await self.health(one.now) == 200

            await until(is_ready, within_s, f"{one.now.instance} is ready: {one.now.log.read_text()[-2_000:]}")

    async def rows(self, sql: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(self.dsn, timeout=5)
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    async def progress(self) -> dict[int, tuple[str, int, int]]:
        """Partition of the events' topic to (owner, epoch, next offset) of the directory service."""
        sql = "SELECT partition, owner, epoch, next_offset FROM progress WHERE service = 'directory' AND topic = $1"
        return {row["partition"]: tuple(row)[1:] for row in await self.rows(sql, self.events)}

    async def all_applied(self, within_s: float = 30) -> None:
        """Return when everything that is on the events' topic now has been applied."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka)
        await consumer.start()
        ends = await consumer.end_offsets([TopicPartition(self.events, number) for number in range(PARTITIONS)])
        await consumer.stop()

        async def reached() -> bool:
            stand = await self.progress()
            return all(place.partition in stand and stand[place.partition][2] >= end for place, end in ends.items())

        await until(reached, within_s, f"everything applied, {ends}")

    async def ledger(self) -> Any:
        """What `isthmus ledger --json` prints; nothing may be unaccounted for."""
        command = [sys.executable, "-m", "processor", "ledger", "--json"]
        done = await asyncio.to_thread(
            subprocess.run, command, env=self._env, capture_output=True, check=False, timeout=30
        )
        found = orjson.loads(done.stdout)
        assert not any(found["unaccounted"].values()), found["unaccounted"]
        return found
