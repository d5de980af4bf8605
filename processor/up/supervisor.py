"""Starts everything in order, keeps it running, stops it in order.

Start: broker and database at once, migrations, topics, configuration, services. Stop: ingress, services, broker,
database. A broker that ends takes its topics along, so the services stop before it starts again (schema section 1).
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from processor.adapters.kafka.topics import ensure_topics
from processor.adapters.postgres.migrate import migrate
from processor.errors import ConfigError, UnavailableError
from processor.logs import Log
from processor.settings import Settings
from processor.up.banner import Facts, banner, command_line
from processor.up.broker import Broker
from processor.up.child import Command, python
from processor.up.configuration import Applied, apply_configuration
from processor.up.database import Database
from processor.up.folder import Folder, Run
from processor.up.kept import Kept
from processor.up.memory import MEMORY_LIMIT_BYTES, watch_memory
from processor.up.path import ask_path
from processor.up.ports import HOST
from processor.up.steps import Steps

__all__ = ["Options", "Supervisor"]

_PATH_OPEN_S = 45.0
_HOPELESS_DEATHS = 6  # of one child while starting: about 6 s of trying
_TOPICS_AGAIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said. ``config``: apply this file when it differs from the last revision."""

    port: int
    config: Path | None = None
    broker_memory_bytes: int = MEMORY_LIMIT_BYTES


class Supervisor:
    """One `isthmus up` in a folder that is already held. ``serve`` runs, ``stop`` ends, ``kill`` ends at once."""

    def __init__(self, options: Options, settings: Settings, folder: Folder, log: Log, env: Mapping[str, str]) -> None:
        """``env``: the environment, for what a user set there stays. Raises ``ConfigError`` without a wheel."""
        self._options, self._folder, self._log = options, folder, log
        self._url = f"http://{HOST}:{options.port}"
        broker = None if settings.kafka else Broker(folder)
        database = None if settings.postgres.get_secret_value() else Database(folder)
        self._settings = settings.model_copy(
            update={
                "kafka": broker.address if broker else settings.kafka,
                "postgres": SecretStr(database.dsn()) if database else settings.postgres,
                "data_dir": folder.path,
            }
        )
        self._env = {
            "ISTHMUS_KAFKA": self._settings.kafka,
            "ISTHMUS_POSTGRES": self._settings.postgres.get_secret_value(),
            "ISTHMUS_ASSIGNMENT": env.get("ISTHMUS_ASSIGNMENT") or "all",
            "ISTHMUS_SECRET": settings.secret.get_secret_value() or folder.secret("secret"),
            "ISTHMUS_DATA_DIR": str(folder.path),
            "ISTHMUS_HOST": HOST,
            "ISTHMUS_PORT": str(options.port),
            "ISTHMUS_PROBE_PORT": "0",
            "ISTHMUS_WORKERS": "1",  # api shares the one port, and one process
        }
        self._broker, self._database = broker, database
        self._ingress = Kept(lambda: self._services("ingress", "ingress", "api"), log)
        self._consumers = Kept(lambda: self._services("services", "directory", "rejects"), log)
        self._kept_broker = (
            Kept(
                lambda: broker.command,
                log,
                restarted="broker_restarted",
                ready=broker.ready,
                died=self._broker_died,
                back=self._broker_back,
                guard=self._ingress_frozen,
            )
            if broker
            else None
        )
        self._kept_database = Kept(lambda: database.command, log, ready=database.ready) if database else None

    def _services(self, name: str, *services: str) -> Command:
        return Command(name, python("-m", "processor", "run", *services), self._folder.log(name), self._env)

    @property
    def _in_stopping_order(self) -> list[Kept]:
        kept = [self._ingress, self._consumers, self._kept_broker, self._kept_database]
        return [one for one in kept if one is not None]

    async def serve(self, steps: Steps) -> None:
        """Start everything, say so, and keep it running until cancelled.

        Raises ``ConfigError`` or ``UnavailableError`` with the sentence to show; ``stop`` is then still to be called.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._start_parts(steps)
                applied = await self._prepare(steps)
                self._folder.write_run(self._run_file())
                for kept in self._in_stopping_order:
                    tasks.create_task(kept.run())
                with steps.step("ingress, api, directory, rejects"):
                    await self._path_opened()
                steps.say(banner(self._facts(steps, applied)))
                if self._kept_broker:
                    limit = self._options.broker_memory_bytes
                    tasks.create_task(watch_memory(self._kept_broker, self._ingress, self._url, self._settings, limit))
        except BaseExceptionGroup as group:
            raise _first(group) from None

    async def _start_parts(self, steps: Steps) -> None:
        async def start_broker(kept: Kept) -> None:
            with steps.step("broker", f"Tansu {Broker.version}, in memory"):
                await kept.start()

        async def start_database(kept: Kept, database: Database) -> None:
            with steps.step("PostgreSQL") as step:
                await database.prepare()
                await kept.start()
                step.title = f"PostgreSQL {database.version}"

        async with asyncio.TaskGroup() as tasks:
            if self._kept_broker:
                tasks.create_task(start_broker(self._kept_broker))
            if self._kept_database and self._database:
                tasks.create_task(start_database(self._kept_database, self._database))

    async def _prepare(self, steps: Steps) -> Applied:
        with steps.step("migrations") as step:
            step.note = f"{len(await migrate(self._settings.postgres.get_secret_value()))} new"
        with steps.step("topics") as step:
            step.note = f"{len(await ensure_topics(self._settings))} new"
        with steps.step("configuration") as step:
            applied = await apply_configuration(self._settings, self._folder, self._options.config)
            step.note = f"revision {applied.revision}{', new' if applied.new else ''}"
        return applied

    async def _path_opened(self) -> None:
        """Wait until an event could go the whole way. Raises ``UnavailableError`` that says what was waited for."""
        waits_for = ""
        try:
            async with asyncio.timeout(_PATH_OPEN_S):
                while True:
                    answer = await ask_path(self._url)
                    if answer.open:
                        return
                    waits_for = answer.waits_for
                    for kept in (self._ingress, self._consumers):
                        if kept.backoff.deaths >= _HOPELESS_DEATHS:
                            raise UnavailableError(f"a child dies again and again:\n{kept.log_tail}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise UnavailableError(
                f"not ready after {_PATH_OPEN_S:.0f} s, waited for: {waits_for} (see {self._folder.path / 'logs'})"
            ) from None

    def _run_file(self) -> Run:
        return Run(
            pid=os.getpid(),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            url=self._url,
            kafka=self._settings.kafka,
            postgres=self._settings.postgres.get_secret_value(),
            data_dir=str(self._folder.path),
        )

    def _facts(self, steps: Steps, applied: Applied) -> Facts:
        return Facts(
            url=self._url,
            write_key=applied.write_key,
            message_id=str(uuid4()),
            data_dir=self._folder.path,
            config=applied.file,
            revision=applied.revision,
            embedded_broker=self._broker is not None,
            total_s=steps.total_s,
            command=command_line(sys.argv[0], self._folder.path, Path.cwd(), shutil.which("isthmus")),
        )

    async def _broker_died(self) -> None:
        """Consumers stop first: topic ids lag a little. Ingress goes on and answers 503, but must not start now."""
        self._ingress.hold()
        await self._consumers.pause()

    @asynccontextmanager
    async def _ingress_frozen(self) -> AsyncIterator[None]:
        """From before the broker starts until it has its topics again.

        Tansu acknowledges a record for a topic that it does not have, and nobody can ever read it (tried, 0.6.0).
        """
        async with AsyncExitStack() as stack:
            if self._ingress.child is not None and self._ingress.child.alive:
                await stack.enter_async_context(self._ingress.child.frozen())
            yield

    async def _broker_back(self) -> None:
        """Its topics went with it. Raises ``UnavailableError`` when they cannot be made."""
        try:
            async with asyncio.timeout(_TOPICS_AGAIN_S):
                while True:
                    with suppress(UnavailableError):
                        await ensure_topics(self._settings)
                        break
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise UnavailableError("the topics cannot be made again") from None
        self._ingress.resume()
        self._consumers.resume()

    async def stop(self) -> None:
        """End all children in order, each killed after its grace."""
        for kept in self._in_stopping_order:
            await kept.pause()

    def kill(self) -> None:
        """End all children at once."""
        for kept in self._in_stopping_order:
            if kept.child is not None:
                kept.child.kill()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show: what a person can change comes before what is away."""
    flat = [_first(error) if isinstance(error, BaseExceptionGroup) else error for error in group.exceptions]
    return next((error for error in flat if isinstance(error, ConfigError)), flat[0])
