"""`isthmus run ingress --workers N`: as many processes as cores, on one port.

Each has a socket of its own on the port, which the kernel shares connections out to evenly, and this process holds them
all: who connects while a worker ends and starts again waits in its socket's queue, and is served by the next one.
SIGHUP starts the workers afresh one after the other, SIGTERM ends them: each accepts no more and finishes what it has.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress

import aiohttp

from processor.errors import ConfigError, UnavailableError
from processor.logs import Log, configure, get_log
from processor.settings import Settings
from processor.up.child import Child, Command, python
from processor.up.kept import Kept
from processor.wiring.listening import bind

__all__ = ["check_workers", "run_workers"]

_READY_S = 60.0
_GRACE_S = 10.0
"""Beside the time for accepted requests: to write what they brought, and to leave."""


class _Worker:
    """One of them, kept running, and the port of its probes."""

    def __init__(self, settings: Settings, number: int, listeners: Sequence[socket.socket], log: Log) -> None:
        self.probe_port = settings.probe_port + number if settings.probe_port else _free_port(settings.host)
        self._settings = settings
        self._name = f"ingress-{number + 1}"
        self._listeners = listeners
        self._ready = asyncio.Event()
        self.kept = Kept(self._command, log, ready=self._wait_until_ready)

    def _command(self) -> Command:
        passed = [listener.fileno() for listener in self._listeners]
        listening = [f"--listener={number}" for number in passed]
        instance = self._settings.instance or f"{socket.gethostname()}-{os.getpid()}"
        env = {
            "ISTHMUS_WORKERS": str(self._settings.workers),
            "ISTHMUS_PROBE_PORT": str(self.probe_port),
            "ISTHMUS_INSTANCE": f"{instance}-{self._name}",
        }
        return Command(
            self._name,
            python("-m", "processor", "run", "ingress", *listening),
            log=None,
            env=env,
            grace_s=self._settings.shutdown_timeout_s + _GRACE_S,
            passed=passed,
        )

    async def _wait_until_ready(self, child: Child) -> None:
        """Until its probe answers, whatever it says: a Kafka that is away is no reason to start it again."""
        url = f"http://{_address(self._settings.host, self.probe_port)}/health/ready"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as http:
            deadline = asyncio.get_running_loop().time() + _READY_S
            while asyncio.get_running_loop().time() < deadline:
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(url):
                        self._ready.set()
                        return
                if not child.alive:
                    return  # how it ended tells what to do
                await asyncio.sleep(0.05)
        raise UnavailableError(f"{self._name} does not answer")

    async def renew(self) -> None:
        """End it, and return when the next one is ready."""
        self._ready.clear()
        await self.kept.renew()
        await self._ready.wait()


async def run_workers(settings: Settings) -> None:
    """Run ``settings.workers`` processes of ingress until a signal.

    Raises ``ConfigError`` when the port is taken, or a worker says that something has to be changed.
    """
    instance = settings.instance or f"{socket.gethostname()}-{os.getpid()}"
    configure(settings.log_format, settings.log_level, service="workers", instance=instance)
    log = get_log()
    stopping, renewing = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, renewing.set)
    workers = [_Worker(settings, number, listeners, log) for number, listeners in enumerate(_sockets(settings))]
    running = [asyncio.create_task(worker.kept.run()) for worker in workers]
    running.append(asyncio.create_task(_renew(workers, renewing)))
    stop = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait([stop, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (stop, *running):
            task.cancel()
        await asyncio.gather(stop, *running, return_exceptions=True)
        await asyncio.gather(*(worker.kept.pause() for worker in workers))


async def _renew(workers: Sequence[_Worker], asked: asyncio.Event) -> None:
    while True:
        await asked.wait()
        asked.clear()
        for worker in workers:
            await worker.renew()


def _sockets(settings: Settings) -> list[list[socket.socket]]:
    """For each worker its sockets. A port of 0 is the same free one for all."""
    port = settings.port
    made: list[list[socket.socket]] = []
    for _ in range(settings.workers):
        made.append(bind(settings.host, port, shared=True))
        port = port or made[0][0].getsockname()[1]
    return made


def _free_port(host: str) -> int:
    listeners = bind(host, 0)
    port = int(listeners[0].getsockname()[1])
    for listener in listeners:
        listener.close()
    return port


def _address(host: str, port: int) -> str:
    """Where a process that listens there can be asked."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - not listened on
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_workers(settings: Settings, names: Sequence[str]) -> None:
    """Raises ``ConfigError`` for several processes of what does not come in several."""
    if set(names) != {"ingress"}:
        raise ConfigError(
            f"ISTHMUS_WORKERS={settings.workers} is for `isthmus run ingress` alone; start a second process of the"
            " others, each with a port of its own"
        )
