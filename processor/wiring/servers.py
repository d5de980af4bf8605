"""The HTTP side of a process: ingress and api on the one port, or the probes alone."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from ingress.app import add_routes, answer_nothing
from processor.adapters.kafka.producer import KafkaPublisher
from processor.adapters.postgres.lists import PostgresLists
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.api.control import build_control
from processor.api.probes import Check, build_probes
from processor.api.v3 import build_routes
from processor.engine.status import Status
from processor.errors import UnavailableError
from processor.ports.queries import ProcessRow
from processor.services import PATH
from processor.wiring.listening import bind, open_site
from processor.wiring.process import BEAT_S, Process

__all__ = ["serve"]

_STALE_S = 10.0
_STUCK_S = 60.0


async def serve(stack: AsyncExitStack, process: Process, listeners: Sequence[socket.socket] = ()) -> None:
    """Listen. Raises ``ConfigError`` when the port is taken.

    ``listeners``: a worker, one of several processes on the one port, has its sockets from their parent, and a port of
    its own for probes, for nobody knows whom of them the common port's answer comes from.
    """
    app = web.Application(client_max_size=1 << 20)
    publisher = None
    if process.has("ingress"):
        publisher = KafkaPublisher(process.settings)
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        report = add_routes(app, publisher, process, process.settings)
        process.metrics.ingress_bytes_in_flight.set_function(report.bytes_in_flight)
        process.metrics.ingress.answered = report.answered
        process.metrics.ingress.noted = report.noted
        _keep(stack, _follow(process.join("ingress"), publisher.ready))
    if process.has("api"):
        writer = PostgresDirectoryWriter(process.pool, process.metrics.written)
        lists, public_url = PostgresLists(process.pool), process.settings.public_url
        app.router.add_routes(build_routes(process.queries, process, public_url, writer=writer, lists=lists))
        app.router.add_routes(build_control(process, writer))
        _keep(stack, _follow(process.join("api"), lambda: _ask_postgres(process)))
    app.router.add_routes(_probes(process))
    app.router.add_route("*", "/{path:.*}", answer_nothing)
    settings = process.settings
    own_port = process.has("ingress") or process.has("api")
    if not listeners:
        listeners = bind(settings.host, settings.port if own_port else settings.probe_port)
    else:
        probes = web.Application()
        probes.router.add_routes(_probes(process))
        await open_site(stack, probes, bind(settings.host, settings.probe_port), settings)
    await open_site(stack, app, listeners, settings)


def _keep(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    stack.callback(task.cancel)


async def _follow(status: Status, ready: Callable[[], Awaitable[None]]) -> None:
    """Keep a server's status true: it works when what it writes to, or reads from, answers."""
    while True:
        try:
            await ready()
            status.to("running")
        except UnavailableError as error:
            status.to("waiting", str(error))
        await asyncio.sleep(BEAT_S / 2)


async def _ask_postgres(process: Process) -> None:
    await process.queries.processes()


def _probes(process: Process) -> list[web.RouteDef]:
    async def live() -> Sequence[Check]:
        now = time.monotonic()
        stuck = [m.name for m in process.members if m.status.state == "running" and now - m.status.turned > _STUCK_S]
        return [("loop", f"{', '.join(stuck)} did not turn for {_STUCK_S:g} s." if stuck else None)]

    async def ready() -> Sequence[Check]:
        now = time.monotonic()
        return [(member.name, _problem(member.status, now)) for member in process.members]

    async def path() -> Sequence[Check]:
        rows = await process.queries.processes()
        configured = process.current.revision > 0
        return [
            ("revision", None if configured else "No configuration yet: run `isthmus config apply FILE`."),
            *((name, _absent(name, [row for row in rows if row.service == name])) for name in ("ingress", *PATH)),
        ]

    async def pending() -> int | None:
        rows = await process.queries.processes()
        return sum(int(row.details.get("unread", 0)) for row in rows)

    return build_probes(live, ready, path, process.metrics.text, pending)


def _problem(status: Status, now: float) -> str | None:
    if status.state in ("running", "standby") and now - status.turned <= _STALE_S:
        return None
    if status.state in ("running", "standby"):
        return f"The loop has not turned for {now - status.turned:.0f} s."
    return f"{status.state}: {status.reason}"


def _absent(name: str, rows: Sequence[ProcessRow]) -> str | None:
    oldest = datetime.now(UTC) - timedelta(seconds=_STALE_S)
    fresh = [row for row in rows if row.seen_at >= oldest]
    if any(row.state == "running" for row in fresh):
        return None
    if not fresh:
        return f"No {name} process has been seen for {_STALE_S:g} s: run `isthmus run {name}`."
    return f"{fresh[0].state}: {fresh[0].reason}"
