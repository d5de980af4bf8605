"""One child process: a command under its keeper, its output in a log file."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import processor

__all__ = ["LOG_BYTES", "Child", "Command", "python", "tail"]

LOG_BYTES = 16 * 1024 * 1024
"""A log file larger than this is put aside as NAME.log.1 when its child starts."""
_KEEPER_START_S = 10.0
_FREEZE_TRIES = 100


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. ``stop`` ends it in order; after ``grace_s`` seconds it is killed."""

    name: str
    arguments: Sequence[str]
    log: Path | None
    """``None``: it writes to our own standard error."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to our own environment; an empty value takes that name away."""
    stop: Literal["TERM", "INT"] = "TERM"
    grace_s: float = 10.0
    passed: Sequence[int] = ()
    """Open files of ours that it has too, by the same numbers."""


def python(*arguments: str) -> list[str]:
    """A command line of our own interpreter that finds the package where we found it."""
    root = Path(processor.__file__).parent.parent
    # Whoever stands in a folder with a `processor` of its own must not get that one.
    safe = [] if root == Path.cwd() else ["-P"]
    return [sys.executable, *safe, *arguments]


class Child:
    """A running command. ``pid`` is its own, not its keeper's."""

    def __init__(self, command: Command, keeper: asyncio.subprocess.Process, pid: int) -> None:
        self.command = command
        self.pid = pid
        self._keeper = keeper
        self._freezers = 0
        self._started = asyncio.get_running_loop().time()

    @classmethod
    async def start(cls, command: Command) -> "Child":
        """Start it; what it prints is appended to its log. It may have ended again by the time this returns."""
        log = _log_file(command.log)
        try:
            keeper = await asyncio.create_subprocess_exec(
                *python("-m", "processor.up.keeper", "--signal", command.stop, "--grace", str(command.grace_s)),
                *("--pass", ",".join(str(number) for number in command.passed), "--"),
                *command.arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=_environment(command.env),
                pass_fds=command.passed,
                start_new_session=True,  # Ctrl-C is for the supervisor, which then stops the children in order
            )
        finally:
            if log is not None:
                os.close(log)
        first = b""
        if keeper.stdout is not None:
            with suppress(TimeoutError):
                first = await asyncio.wait_for(keeper.stdout.readline(), _KEEPER_START_S)
        return cls(command, keeper, int(first) if first.strip().isdigit() else 0)

    @property
    def alive(self) -> bool:
        """A frozen process counts as alive."""
        return self._keeper.returncode is None

    @property
    def lived_s(self) -> float:
        return asyncio.get_running_loop().time() - self._started

    async def wait(self) -> int:
        """Wait for its end: its exit code, or 128 + n when signal n ended it."""
        code = await self._keeper.wait()
        if code < 0:  # the keeper itself was killed: nobody ends the command but us
            _signal_group(self._keeper.pid, signal.SIGKILL)
        return code if code >= 0 else 128 - code

    async def stop(self) -> int:
        """End it in order, killed after its grace."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        return await self.wait()

    def kill(self) -> None:
        """End it and its keeper at once."""
        if self.alive:
            _signal_group(self._keeper.pid, signal.SIGKILL)

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Keep it from running for the length of a block; blocks may overlap. It stands still once this begins."""
        self._freezers += 1
        self._tell(b"STOP\n")
        try:
            for _ in range(_FREEZE_TRIES):
                if not self.alive or await self._stands_still():
                    break
                await asyncio.sleep(0.01)
            yield
        finally:
            self._freezers -= 1
            if not self._freezers:
                self._tell(b"CONT\n")

    def _tell(self, line: bytes) -> None:
        if self.alive and self._keeper.stdin is not None and not self._keeper.stdin.is_closing():
            self._keeper.stdin.write(line)

    async def _stands_still(self) -> bool:
        ps = await asyncio.create_subprocess_exec(
            *("ps", "-o", "stat=", "-p", str(self.pid)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await ps.communicate()
        return not out.strip() or out.strip().startswith(b"T")


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    gone = {name for name, value in changes.items() if not value}
    return {name: value for name, value in {**os.environ, **changes}.items() if name not in gone}


def _signal_group(keeper: int, number: signal.Signals) -> None:
    """The keeper leads a session of its own, in which its command is."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(keeper, number)


def _log_file(log: Path | None) -> int | None:
    """Open to append to, put aside first when it is large."""
    if log is None:
        return None
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(log.name + ".1"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def tail(log: Path | None, lines: int = 12) -> str:
    """The last lines of a log, for the one who has to read why a child did not start."""
    if log is None:
        return ""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
