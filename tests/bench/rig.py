"""Everything that the bench starts: broker, database, services, load. All of it on loopback, all of it ended here."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from bench import events
from pydantic import SecretStr
from support import brokers, databases
from support.local_kafka import Child, free_port

from processor.adapters.kafka.topics import ensure_topics
from processor.adapters.postgres.migrate import migrate
from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.settings import Settings
from processor.up.database import _SETTINGS

__all__ = ["BenchError", "Load", "Rig", "Service"]

TESTS = Path(__file__).resolve().parents[1]
LUA = Path(__file__).resolve().parent / "wrk"
CONNECTIONS = 64
START_S = 60.0


class BenchError(Exception):
    """The bench cannot run; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk says of one run. ``failed``: requests without a 2xx."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Service:
    """A process and the port that it listens on."""

    child: Child
    port: int

    @property
    def peak_mb(self) -> float:
        """Resident memory at its highest; 0 where /proc does not tell."""
        try:
            lines = Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        except OSError:
            return 0.0
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)

    @property
    def cpu_s(self) -> float:
        """User and system time so far: steadier than a rate where others use the machine; 0 without /proc."""
        try:
            spent = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            return 0.0
        return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.child.stop()


class Rig:
    """``bootstrap`` and ``words`` (what the figures are of) are there after ``start``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bootstrap = ""
        self.words: list[str] = []
        self._broker: Any = None
        self._postgres: databases.LocalPostgres | None = None
        self._count = 0

    def start(self) -> None:
        if shutil.which("wrk") is None:
            raise BenchError("The load comes from wrk, and there is none here: apt install wrk.")
        os.environ["KAFKA_FULL_JIT"] = "1"
        missing = brokers.kafka.lacking()
        kind, words = (
            ("tansu", f"Tansu, because Apache Kafka lacks {missing}") if missing else ("kafka", "Apache Kafka")
        )
        self._broker = brokers.start_local(brokers.Choice(kind, words), self.folder / "broker")
        self.bootstrap = self._broker.bootstrap
        # As `isthmus up` runs it, and so as in production: every commit waits for the disk.
        databases.SETTINGS.clear()
        databases.SETTINGS.update(
            {
                name: value
                for name, value in _SETTINGS.items()
                if name not in ("listen_addresses", "unix_socket_directories")
            }
        )
        self._postgres = databases.LocalPostgres(self.folder / "postgres")
        self._postgres.start()
        self.words = [
            f"broker: {words}",
            "database: PostgreSQL 18 from the wheel, fsync on",
            f"cores: {os.cpu_count()}",
        ]

    def stop(self) -> None:
        for child in list(Child.started):
            child.kill()

    def database(self, document: str = events.DOCUMENT, *, like: str | None = None) -> str:
        """The DSN of a new database: migrated, with the document as its revision; or a copy of the one at ``like``."""
        assert self._postgres is not None
        self._count += 1
        name = f"bench_{self._count}"
        dsn = databases.named(self._postgres.dsn, name)
        if like is None:
            asyncio.run(databases.execute(self._postgres.dsn, f"CREATE DATABASE {name}"))
            asyncio.run(_prepare(dsn, document))
        else:
            copied = f"CREATE DATABASE {name} TEMPLATE {like.rsplit('/', 1)[1]} STRATEGY file_copy"
            asyncio.run(databases.execute(self._postgres.dsn, copied))
        return dsn

    def settle(self) -> None:
        """What the last step left to be written is not the next one's."""
        assert self._postgres is not None
        asyncio.run(databases.execute(self._postgres.dsn, "CHECKPOINT"))

    def topics(self, prefix: str) -> None:
        asyncio.run(ensure_topics(Settings(kafka=self.bootstrap, topic_prefix=prefix)))

    def service(self, *names: str, dsn: str, prefix: str) -> Service:
        """``isthmus run NAME…`` as a process of its own, options among the names; returns when it says it is ready."""
        service = self.starting(*names, dsn=dsn, prefix=prefix)
        self.ready(service)
        return service

    def starting(self, *names: str, dsn: str, prefix: str) -> Service:
        """The same, not ready yet: for starting several at once."""
        port, probe = free_port(), free_port()
        env = {
            "ISTHMUS_KAFKA": self.bootstrap,
            "ISTHMUS_POSTGRES": dsn,
            "ISTHMUS_TOPIC_PREFIX": prefix,
            "ISTHMUS_PORT": str(port),
            "ISTHMUS_PROBE_PORT": str(probe),
            "ISTHMUS_LOG_FORMAT": "json",
        }
        child = self.child("-".join(names).replace("--", ""), "-m", "processor", "run", *names, **env)
        return Service(child, port if "ingress" in names else probe)

    def echo(self) -> Service:
        port = free_port()
        service = Service(self.child("echo", "-m", "bench.echo", str(port)), port)
        self.ready(service)
        return service

    def child(self, name: str, *arguments: str, **env: str) -> Child:
        """A Python process that ends with us, its output in a file."""
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(TESTS)]))
        ours = {k: v for k, v in os.environ.items() if not k.startswith("ISTHMUS_")}
        command = [sys.executable, *arguments]
        self._count += 1
        log = self.folder / f"{name}-{self._count}.log"
        return Child(command, log, env={**ours, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", **env})

    def measured(self, module: str, *arguments: str, timeout_s: float) -> dict[str, Any]:
        """Run one of the loops beside this file to its end; the JSON that it prints."""
        child = self.child(module, "-m", f"bench.{module}", *arguments)
        until(lambda: not child.alive, timeout_s, f"the loop {module} did not end ({child.log})")
        child.stop()
        last = child.last_line()
        try:
            answer: dict[str, Any] = json.loads(last)
        except ValueError:
            raise BenchError(f"the loop {module} failed: {last}") from None
        return answer

    def wrk(self, script: str, body: bytes, url: str, seconds: float, *, rate: float = 0) -> Load:
        """``rate``: requests a second that are not to be passed, of all connections together; 0: as many as can be."""
        file = self.folder / "body"
        file.write_bytes(body)
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(LUA / f"{script}.lua"), url],
            env={
                "BENCH_BODY": str(file),
                "BENCH_AUTHORIZATION": events.authorization(),
                "BENCH_DELAY_MS": f"{CONNECTIONS / rate * 1_000:.0f}" if rate else "",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 30,
        )
        said = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("{")), None)
        if said is None:
            raise BenchError(f"wrk failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
        found = json.loads(said)
        failed = found["refused"] + found["broken"]
        return Load(found["requests"], found["us"] / 1e6, found["p50_us"] / 1e3, found["p99_us"] / 1e3, failed)

    def ready(self, service: Service) -> None:
        def answers() -> bool:
            if not service.child.alive:
                raise BenchError(f"a process ended at once: {service.child.last_line()}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/health/ready", timeout=2) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        until(answers, START_S, f"a process did not become ready ({service.child.log})")


def until(condition: Callable[[], bool], timeout_s: float, complaint: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(complaint)
        time.sleep(0.05)


async def _prepare(dsn: str, document: str) -> None:
    await migrate(dsn)
    pool = await open_pool(Settings(postgres=SecretStr(dsn)))
    await PostgresRevisions(pool).add(document, applied_by="bench")
    await pool.close()


async def ask(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()
