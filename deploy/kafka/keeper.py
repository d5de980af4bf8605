"""Runs one command and ends it as soon as our own standard input closes, so a killed parent leaves no orphan.

`Child` is the parent's side; the same file, run as a script, is the keeper between parent and command:
    keeper.py STOP_SIGNAL GRACE_S LOG COMMAND…
It prints the command's pid, then reads one signal name a line; end of input means: stop.
Only the keeper signals the command, which it has not reaped then: no stranger with a reused pid is hit.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["Child"]


class Child:
    """A kept process. `started` holds those not yet stopped, for a last round when a session ends."""

    started: "set[Child]" = set()  # noqa: RUF012  # shared on purpose

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        stop_signal: str = "SIGTERM",
        grace_s: float = 10,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command`, its output appended to `log`. Raises OSError when the keeper cannot start."""
        self.log = log
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", __file__, stop_signal, str(grace_s), str(log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal is for the parent, which then stops us in order
            env=env,
        )
        Child.started.add(self)
        if self._keeper.stdout is None:
            raise RuntimeError("no pipe from the keeper")
        first = self._keeper.stdout.readline()
        self.pid = int(first) if first.strip() else 0

    @property
    def alive(self) -> bool:
        """A frozen process counts as alive."""
        return self._keeper.poll() is None

    def signal(self, name: str) -> None:
        """Send SIGKILL, SIGSTOP, SIGCONT…; nothing happens when the command has ended."""
        pipe = self._keeper.stdin
        if self.alive and pipe is not None and not pipe.closed:
            with suppress(BrokenPipeError):  # it ended between the question and the line
                pipe.write(f"{name}\n".encode())
                pipe.flush()

    def freeze(self, timeout_s: float = 5) -> None:
        """SIGSTOP; returns when the kernel shows every thread stopped, where /proc tells, or after the time."""
        self.signal("SIGSTOP")
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not all(state in "TZX" for state in _thread_states(self.pid)):
            time.sleep(0.001)

    def thaw(self) -> None:
        self.signal("SIGCONT")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal("SIGKILL")
        self.stop()

    def stop(self) -> None:
        """Stop signal, SIGKILL after the grace time; returns when it is gone. May be called again."""
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # an unsent line to a keeper that has ended
                    pipe.close()
        self._keeper.wait()
        Child.started.discard(self)

    def last_line(self) -> str:
        """What the command said last, for an error message."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _thread_states(pid: int) -> list[str]:
    """The letter of each thread of a process (R, S, T…); none where it has ended or there is no /proc."""
    states = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # the thread ended between the listing and the look
            states.append(stat.read_text().rpartition(") ")[2][0])
    return states


def _keep(stop_signal: str, grace_s: float, log: str, command: list[str]) -> None:
    with Path(log).open("ab") as out:
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        except OSError as error:
            out.write(f"{command[0]}: {error.strerror}\n".encode())
            raise SystemExit(127) from None

    def ended(*_: object) -> None:
        if child.poll() is not None:
            os._exit(child.returncode & 0xFF)

    signal.signal(signal.SIGCHLD, ended)  # in the one thread: never between a look and a signal below
    ended()
    print(child.pid, flush=True)  # noqa: T201
    for line in sys.stdin:
        child.send_signal(signal.Signals[line.strip()])
    # A frozen process takes no stop signal before it is continued.
    child.send_signal(signal.SIGCONT)
    child.send_signal(signal.Signals[stop_signal])
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    _keep(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:])
