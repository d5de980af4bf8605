"""One `isthmus up` from the lock on its folder to its exit: signals, the log, what is said at the end."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from processor import logs
from processor.errors import ConfigError
from processor.settings import Settings
from processor.up.folder import Folder
from processor.up.ports import free_port, is_free
from processor.up.steps import Steps
from processor.up.supervisor import Options, Supervisor

__all__ = ["run_session"]

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a closed terminal. The second one ends everything at once."""


async def run_session(options: Options, settings: Settings, env: Mapping[str, str]) -> None:
    """Run until asked to stop. Raises ``ConfigError`` or ``UnavailableError`` with one sentence, all children ended."""
    folder = Folder(settings.data_dir)
    folder.take()  # before the port: a second one on the same folder should hear of the first
    try:
        if options.port and not is_free(options.port):
            raise ConfigError(f"port {options.port} of 127.0.0.1 is taken: choose another one with --port")
        options = replace(options, port=options.port or free_port())
        quiet = sys.stderr.isatty()  # while the steps are told, a terminal gets warnings only
        logs.configure(
            settings.log_format, "warning" if quiet else settings.log_level, service="up", instance=str(os.getpid())
        )
        supervisor = Supervisor(options, settings, folder, logs.get_log(), env)
        await _until_asked(supervisor)
    finally:
        folder.forget_run()
        folder.release()


async def _until_asked(supervisor: Supervisor) -> None:
    asked = asyncio.Event()

    def ask() -> None:
        if asked.is_set():
            supervisor.kill()
            os._exit(130)
        asked.set()
        Steps.say("\nstopping; once more to end everything at once")

    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, ask)
    serving = asyncio.ensure_future(supervisor.serve(Steps()))
    waiting = asyncio.ensure_future(asked.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
    finally:
        waiting.cancel()
        await supervisor.stop()
    Steps.say("stopped")
