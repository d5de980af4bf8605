"""Runs one command and ends it when our own standard input closes, so that a killed parent leaves no orphan.

    python -m processor.up.keeper --signal INT --grace 5 --pass 7,8 -- COMMAND…

Prints the command's pid as the first line of stdout; what the command prints goes to our stderr.
A line ``STOP`` or ``CONT`` on stdin freezes or thaws the command; end of input, SIGTERM and SIGINT end it: the
named signal, and SIGKILL after the grace. Our exit code is the command's, 128 + n when signal n ended it.
Only the keeper signals the command, which it has not reaped then: no stranger with a reused pid is hit.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

__all__ = ["keep", "main"]

_CANNOT_START = 127


def keep(command: list[str], stop_signal: int, grace_s: float, passed: tuple[int, ...] = ()) -> int:
    """Start ``command`` and stay until it has ended. Returns the exit code to end with.

    ``passed``: open files of ours that it has too.
    """
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _frame: asked.append(caught))
    signal.signal(signal.SIGCHLD, lambda _caught, _frame: None)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, stderr=2, pass_fds=passed)
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        return _CANNOT_START
    with suppress(BrokenPipeError):  # a parent killed meanwhile: its end of our stdin is closed too
        print(child.pid, flush=True)

    kill_at: float | None = None
    listening = [0, wake_read]
    while child.poll() is None:
        if kill_at is not None and time.monotonic() >= kill_at:
            child.kill()
            child.wait()
            break
        timeout = None if kill_at is None else max(0.0, kill_at - time.monotonic())
        readable, _, _ = select.select(listening, [], [], timeout)
        if wake_read in readable:
            os.read(wake_read, 4096)
        if 0 in readable and not _obey(child, os.read(0, 4096)):
            asked.append(0)
            listening.remove(0)
        if asked and kill_at is None:
            kill_at = time.monotonic() + grace_s
            child.send_signal(stop_signal)
            child.send_signal(signal.SIGCONT)  # a frozen command could not hear it
    code = child.returncode
    return code if code >= 0 else 128 - code


def _obey(child: subprocess.Popen[bytes], lines: bytes) -> bool:
    """Do what the lines say. False at the end of input."""
    for word in lines.split():
        if word in (b"STOP", b"CONT"):
            child.send_signal(signal.SIGSTOP if word == b"STOP" else signal.SIGCONT)
    return bool(lines)


def main(arguments: list[str]) -> int:
    """``--signal NAME --grace SECONDS --pass FILES -- COMMAND…``. By hand: argparse would double the time to start."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options = {"--signal": "TERM", "--grace": "10", "--pass": ""}
    given = dict(zip(arguments[0:cut:2], arguments[1:cut:2], strict=False))
    command = arguments[cut + 1 :]
    if cut % 2 or not command or not given.keys() <= options.keys():
        print(
            "usage: python -m processor.up.keeper [--signal NAME] [--grace SECONDS] [--pass FILES] -- COMMAND…",
            file=sys.stderr,
        )
        return 2
    options |= given
    passed = tuple(int(number) for number in options["--pass"].split(",") if number)
    return keep(command, signal.Signals[f"SIG{options['--signal']}"], float(options["--grace"]), passed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
