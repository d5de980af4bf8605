import os
import signal
import subprocess
import sys
import time

import pytest

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"


@pytest.fixture
def keep(tmp_path):
    """Starts a keeper, returns it and its command's pid; nothing survives the test."""
    keepers = []

    def start(*command, options=()):
        with (tmp_path / "log").open("wb") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "processor.up.keeper", *options, "--", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        keepers.append(keeper)
        return keeper, int(keeper.stdout.readline() or 0)

    yield start
    for keeper in keepers:
        if keeper.poll() is None:
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()
        keeper.stdin.close()
        keeper.stdout.close()


def gone(pid, within_s=5.0):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_ends_its_command_when_stdin_closes(keep):
    """This is how a SIGKILLed supervisor takes its children along."""
    keeper, pid = keep("sleep", "60")
    keeper.stdin.close()
    assert keeper.wait(5) == 128 + signal.SIGTERM
    assert gone(pid)


def test_ends_its_command_when_terminated(keep):
    """By the signal that it was told to use."""
    keeper, pid = keep("sleep", "60", options=("--signal", "INT"))
    keeper.terminate()
    assert keeper.wait(5) == 128 + signal.SIGINT
    assert gone(pid)


def test_kills_what_does_not_listen(keep, tmp_path):
    """After the grace comes SIGKILL."""
    keeper, pid = keep(sys.executable, "-c", STUBBORN, options=("--grace", "0.3"))
    while b"on" not in (tmp_path / "log").read_bytes():
        time.sleep(0.02)
    keeper.stdin.close()
    assert keeper.wait(5) == 128 + signal.SIGKILL
    assert gone(pid)


def test_ends_a_frozen_command_in_order(keep):
    """STOP freezes; a frozen command is thawed to hear that it should end."""
    keeper, pid = keep("sleep", "60", options=("--grace", "5"))
    keeper.stdin.write(b"STOP\n")
    keeper.stdin.flush()
    time.sleep(0.2)
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=True).stdout
    assert state.startswith(b"T")
    keeper.stdin.close()
    assert keeper.wait(3) == 128 + signal.SIGTERM


@pytest.mark.parametrize(("code", "expected"), [("exit 78", 78), ("exit 0", 0), ("kill -9 $$", 137)])
def test_passes_the_exit_code_on(keep, code, expected):
    """78 tells the supervisor that starting again changes nothing."""
    keeper, _ = keep("sh", "-c", code)
    assert keeper.wait(5) == expected


def test_a_command_that_is_not_there(keep, tmp_path):
    """A sentence in the log instead of a pid."""
    keeper, pid = keep("/nowhere/tansu")
    assert pid == 0
    assert keeper.wait(5) == 127
    assert (tmp_path / "log").read_text() == "cannot start /nowhere/tansu: No such file or directory\n"
