"""What every process has, whatever runs in it: the pool, the revision in force, metrics, the heartbeat."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.adapters.postgres.migrate import pending
from processor.adapters.postgres.pool import open_pool, transaction
from processor.adapters.postgres.progress import Heartbeat
from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.config.current import Current
from processor.config.secrets import Secrets
from processor.domain.events.mark import Marks
from processor.domain.rules import Rules
from processor.engine.status import Status
from processor.errors import UnavailableError
from processor.logs import Log, get_log, set_revision
from processor.metrics import Metrics
from processor.ports.revisions import Compiled
from processor.settings import Settings

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Pool

__all__ = ["BEAT_S", "Member", "Process", "open_process"]

BEAT_S = 1.5
"""Between two heartbeats; who was not seen for five of them counts as gone."""
_REFRESH_S = 1.0
"""Between two looks for a newer revision: services take it within two seconds."""


_NOTHING_YET = Compiled(0, Rules(0, {}, {}, ()), (), (), {})


@dataclass(slots=True)
class Member:
    """A service of this process as its heartbeat shows it. ``unread``: records not yet applied, for consumers."""

    name: str
    status: Status
    unread: Callable[[], int] = lambda: 0


@dataclass(slots=True)
class Process:
    """The open parts of a process; ``members`` are the services in it."""

    settings: Settings
    names: Sequence[str]
    instance: str
    pool: "Pool"
    queries: PostgresQueries
    revisions: Current
    metrics: Metrics
    heartbeat: Heartbeat
    logger: Log
    marks: Marks
    members: list[Member] = field(default_factory=list)

    @property
    def current(self) -> Compiled:
        """Implements ``ports.revisions.CurrentRevision``; revision 0, which knows nobody, before the first one."""
        return self.revisions.current if self.revisions.ready else _NOTHING_YET

    def has(self, name: str) -> bool:
        return name in self.names

    def join(self, name: str) -> Status:
        """Add a service; its status is what the heartbeat tells."""
        status = Status(time.monotonic)
        self.members.append(Member(name, status))
        return status

    async def watch_revisions(self) -> None:
        """Take a newer revision as soon as there is one; keep the last good one when it cannot be taken."""
        refused = 0
        while True:
            try:
                if await self.revisions.refresh():
                    self.announce()
                elif self.revisions.refused and self.revisions.refused[0] != refused:
                    refused, reason = self.revisions.refused
                    self.logger.error("revision_refused", number=refused, reason=reason)
                    self.alarm("revision_refused", number=refused)
            except UnavailableError:
                pass  # the heartbeat and every service say so already
            await asyncio.sleep(_REFRESH_S)

    def announce(self) -> None:
        """Say which revision is in force."""
        number = self.current.revision
        set_revision(number)
        self.metrics.revision.set(number)
        self.logger.info("revision_applied", number=number)
        # Who takes no calls needs no secrets of callers.
        for secret in self.current.unset if self.has("ingress") or self.has("api") else ():
            self.alarm("secret_unset", secret=secret)

    def alarm(self, kind: str, **fields: Any) -> None:
        self.metrics.alarms.labels(kind).inc()
        self.logger.error("alarm_raised", kind=kind, **fields)

    async def beat(self) -> None:
        """Renew this process's rows, so that ``config apply``, ``/health/path`` and people know it."""
        while True:
            try:
                for member in self.members:
                    status = member.status
                    self.metrics.paused.labels(member.name).set(status.state == "paused")
                    details: dict[str, Any] = {"unread": member.unread()}
                    if self.revisions.refused:
                        number, reason = self.revisions.refused
                        details["refused"] = {"number": number, "reason": reason}
                    state = (status.state, status.reason)
                    await self.heartbeat.beat(member.name, self.current.revision, state, details)
                if ended := await self.heartbeat.end_frozen():
                    self.logger.warning("frozen_sessions_ended", sessions=ended)
            except UnavailableError:
                pass  # a store that is away cannot be told; probes ask for the age of the last beat
            await asyncio.sleep(BEAT_S)


async def open_process(stack: AsyncExitStack, settings: Settings, names: Sequence[str], instance: str) -> Process:
    """Open what is common. Raises ``UnavailableError`` when PostgreSQL is away or its schema is not ready."""
    pool = await open_pool(settings)
    stack.callback(pool.terminate)
    async with transaction(pool) as connection:
        outdated = await pending(connection)
    if outdated:
        raise UnavailableError(f"the schema lacks {outdated[0]}: run `isthmus migrate`", "schema_outdated")
    decides = any(name != "ingress" for name in names)
    marks = Marks(settings.installation, settings.secrets)
    secrets = Secrets(os.environ, settings.data_dir)
    revisions = Current(PostgresRevisions(pool), secrets, rules=decides, marks=marks)
    process = Process(
        settings,
        names,
        instance,
        pool,
        PostgresQueries(pool),
        revisions,
        Metrics(),
        Heartbeat(pool, instance),
        get_log(),
        marks,
    )
    if await revisions.refresh():
        process.announce()

    async def say_goodbye() -> None:
        with suppress(UnavailableError, TimeoutError):  # else the rows age out by themselves
            await asyncio.wait_for(process.heartbeat.end(), 2)

    stack.push_async_callback(say_goodbye)
    return process
