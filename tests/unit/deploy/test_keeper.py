"""A kept process ends when its parent does, and when it is told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.local_kafka import REPOSITORY, Child

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def ended(pid: int, within_s: float = 5) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    """SIGKILL gives the parent no chance to clean up; the closing pipe does it."""
    program = f"""
import runpy, sys
Child = runpy.run_path({str(REPOSITORY / "deploy/kafka/keeper.py")!r})["Child"]
print(Child({SLEEP!r}, __import__("pathlib").Path({str(tmp_path / "log")!r})).pid, flush=True)
__import__("time").sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    assert ended(pid)


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_frozen_process_can_be_ended(tmp_path: Path, way: str) -> None:
    """It takes no stop signal before it is continued."""
    child = Child(SLEEP, tmp_path / "log")
    child.signal("SIGSTOP")
    assert child.alive
    getattr(child, way)()
    assert not child.alive
    assert ended(child.pid)


def test_who_ignores_the_stop_signal_is_killed(tmp_path: Path) -> None:
    """After the grace time."""
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    child = Child([sys.executable, "-c", program], tmp_path / "log", grace_s=0.2)
    while not (tmp_path / "log").read_text():
        time.sleep(0.02)
    child.stop()
    assert ended(child.pid)


def test_an_end_of_its_own_is_noticed(tmp_path: Path) -> None:
    """And its last line is kept for the error message; signalling it then does nothing."""
    child = Child([sys.executable, "-c", "print('no room'); raise SystemExit(3)"], tmp_path / "log")
    assert ended(child.pid)
    deadline = time.monotonic() + 5
    while child.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.alive
    assert child.last_line() == "no room"
    child.signal(signal.SIGKILL.name)
    child.stop()


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    """The log says so, and nothing stays."""
    child = Child([str(tmp_path / "nothing")], tmp_path / "log")
    child.stop()
    assert child.last_line().endswith("No such file or directory")
