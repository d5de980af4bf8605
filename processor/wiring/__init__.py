"""The only place that opens and closes things: a process is made here of its parts, by the names it was given."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack

import uvloop

from processor import logs, services
from processor.errors import ConfigError
from processor.settings import Settings
from processor.wiring.consumers import ConsumerProcess
from processor.wiring.process import Process, open_process
from processor.wiring.servers import serve

__all__ = ["run"]

EXIT_OK = 0
EXIT_STUCK = 70
_LEAVE_S = 5.0


def run(settings: Settings, names: Sequence[str], listeners: Sequence[socket.socket] = ()) -> int:
    """Run these services in this process until a signal; 0 after a clean stop. ``listeners``: as ``serve`` has it.

    Raises ``ConfigError`` when something has to be changed by a person, ``UnavailableError`` when what a service
    cannot do without is gone: whoever supervises starts the process again.
    """
    known = services.known_services()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ConfigError(f"no service named {', '.join(unknown) or 'nothing'}: there are {', '.join(known)}")
    instance = settings.instance or f"{socket.gethostname()}-{os.getpid()}"
    logs.configure(settings.log_format, settings.log_level, service="+".join(names), instance=instance)
    _calm_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_run(settings, list(dict.fromkeys(names)), instance, listeners))
        finally:
            _leave_by_force()


def _leave_by_force() -> None:
    """What is left now are tasks of libraries; one that does not end must not keep the process."""
    timer = threading.Timer(_LEAVE_S, os._exit, (EXIT_STUCK,))
    timer.daemon = True
    timer.start()


def _calm_collector() -> None:
    """Parsed JSON makes thousands of containers and no cycles: look for cycles 400 times less often.

    Measured: the default thresholds double the time to parse a batch, and single requests wait for full collections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(300_000, 50, 100)


async def _run(settings: Settings, names: Sequence[str], instance: str, listeners: Sequence[socket.socket]) -> int:
    log = logs.get_log()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        process = await open_process(stack, settings, names, instance)
        await serve(stack, process, listeners)
        work = [ConsumerProcess(process, services.CONSUMERS[name]) for name in names if name in services.CONSUMERS]
        log.info("process_started", services=list(names), pid=os.getpid())
        try:
            await _until(stopping, process, work)
        finally:
            log.info("process_stopped", services=list(names))
    return EXIT_OK


async def _until(stopping: asyncio.Event, process: Process, work: Sequence[ConsumerProcess]) -> None:
    """Run until the signal; the first part that fails ends the others and its error goes on."""
    running = [asyncio.create_task(consumer.run()) for consumer in work]
    running += [asyncio.create_task(process.watch_revisions()), asyncio.create_task(process.beat())]
    stop = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait([stop, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await asyncio.gather(*(consumer.stop() for consumer in work))
    finally:
        stop.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(stop, *running, return_exceptions=True)
