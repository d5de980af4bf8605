"""A child that is started again whenever it dies, until it is paused."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from processor.errors import ConfigError, UnavailableError
from processor.logs import EventName, Log
from processor.up.backoff import Backoff
from processor.up.child import Child, Command, tail

__all__ = ["Kept"]


async def _nothing() -> None: ...


async def _no_wait(_child: Child) -> None: ...


class Kept:
    """One command, kept running. The hooks:

    ``guard`` surrounds every start but the first, with ``ready`` and ``back`` inside it;
    ``ready`` waits until a started child does its work, ``died`` runs after a death and before the next start,
    ``back`` once it is ready again. ``ready`` and ``back`` may raise ``UnavailableError``: it counts as a death.
    """

    def __init__(
        self,
        command: Callable[[], Command],
        log: Log,
        *,
        restarted: EventName = "child_restarted",
        ready: Callable[[Child], Awaitable[None]] = _no_wait,
        died: Callable[[], Awaitable[None]] = _nothing,
        back: Callable[[], Awaitable[None]] = _nothing,
        guard: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self.child: Child | None = None
        self.backoff = Backoff()
        self._command = command
        self._log = log
        self._restarted: EventName = restarted
        self._ready, self._died, self._back, self._guard = ready, died, back, guard
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._turn = asyncio.Lock()
        self._renewing = False

    @property
    def log_tail(self) -> str:
        return tail(self._command().log)

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises ``UnavailableError`` with the reason; `run` then goes on."""
        async with self._turn:
            if not self._wanted.is_set() or (self.child is not None and self.child.alive):
                return
            command = self._command()
            self.child = await Child.start(command)
            self._log.info("child_started", child=command.name, pid=self.child.pid)
            await self._ready(self.child)

    async def run(self) -> None:
        """Keep it running for ever. Raises ``ConfigError`` when it ends with 78: starting again changes nothing."""
        while True:
            await self._wanted.wait()
            try:
                if self.backoff.deaths or self._renewing:
                    async with self._guard():
                        self._renewing = False
                        await self.start()
                        await self._back()
                else:
                    await self.start()
            except UnavailableError:
                if self.child is not None:
                    await self.child.stop()
            if self.child is not None:
                await self._mourn(self.child)

    async def _mourn(self, child: Child) -> None:
        code = await child.wait()
        if not self._wanted.is_set():
            return  # paused, or held: whoever did that starts it again
        if code == ConfigError.exit_status:
            raise ConfigError(_sentence(self.log_tail, child.command.name))
        delay_s = 0.0 if self._renewing else self.backoff.after(child.lived_s)
        reason = "renewed" if self._renewing else "died"
        self._log.warning(
            self._restarted, child=child.command.name, reason=reason, exit_code=code, delay_s=round(delay_s, 1)
        )
        await self._died()
        await asyncio.sleep(delay_s)

    async def renew(self) -> None:
        """Have it ended and started afresh, by the same way as after a death."""
        if self.child is not None and self.child.alive:
            self._renewing = True
            await self._died()
            await self.child.stop()

    def hold(self) -> None:
        """Let it run, but should it end, do not start it."""
        self._wanted.clear()

    async def pause(self) -> None:
        """End it, and do not start it."""
        self.hold()
        async with self._turn:
            if self.child is not None:
                await self.child.stop()

    def resume(self) -> None:
        """Start it again when it does not run."""
        self._wanted.set()


def _sentence(log_tail: str, name: str) -> str:
    """What the command said before it ended: from its last line of ``isthmus: …`` on."""
    _, found, said = ("\n" + log_tail).rpartition("\nisthmus: ")
    return said.strip() if found else f"{name} ended with {ConfigError.exit_status}:\n{log_tail}"
