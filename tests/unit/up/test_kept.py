import asyncio
import os
import signal
import subprocess
import sys

import pytest

from processor.errors import ConfigError, UnavailableError
from processor.up.child import Command, tail
from processor.up.kept import Kept


class Lines:
    """A log that remembers."""

    def __init__(self):
        self.lines = []

    def info(self, event, **fields):
        self.lines.append((event, fields))

    warning = info

    def named(self, event):
        return [fields for name, fields in self.lines if name == event]


def runs(pid):
    """An orphan that ended may stay as a zombie where nobody reaps, in a container."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False).stdout.strip()
    return state != b"" and not state.startswith(b"Z")


async def until(condition, within_s=5.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def keep(tmp_path):
    """Starts keeping a command; all are ended with the test."""
    running = []

    def start(*arguments, **hooks):
        log = Lines()
        kept = Kept(lambda: Command("child", arguments, tmp_path / "child.log", grace_s=2), log, **hooks)
        task = asyncio.ensure_future(kept.run())
        running.append((kept, task))
        return kept, task, log

    yield start
    for kept, task in running:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await kept.pause()


async def test_a_killed_child_is_started_again(keep):
    """SIGKILL: another pid within a second, and a line that says so."""
    kept, _, log = keep("sleep", "60")
    await until(lambda: kept.child)
    first = kept.child.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: kept.child.pid != first)
    assert log.named("child_restarted") == [{"child": "child", "reason": "died", "exit_code": 137, "delay_s": 0.2}]
    assert len(log.named("child_started")) == 2


async def test_a_killed_keeper_leaves_nothing(keep):
    """Its command is ended too, before another one is started."""
    kept, _, _ = keep("sleep", "60")
    await until(lambda: kept.child)
    first = kept.child
    os.kill(first._keeper.pid, signal.SIGKILL)
    await until(lambda: kept.child is not first)
    await until(lambda: not runs(first.pid))


async def test_78_is_final(keep):
    """Starting again would change nothing: its own sentence comes up."""
    script = "import sys; print('isthmus: topic segment.events is missing', file=sys.stderr); sys.exit(78)"
    _, task, log = keep(sys.executable, "-c", script)
    with pytest.raises(ConfigError, match=r"^topic segment\.events is missing$"):
        await asyncio.wait_for(task, 5)
    assert not log.named("child_restarted")


async def test_paused_stays_away_until_resumed(keep):
    """A pause is no death: no line, no back-off."""
    kept, _, log = keep("sleep", "60")
    await until(lambda: kept.child)
    await kept.pause()
    assert not kept.child.alive
    await asyncio.sleep(0.3)
    assert not kept.child.alive
    kept.resume()
    await until(lambda: kept.child.alive)
    assert not log.named("child_restarted")
    assert kept.backoff.deaths == 0


async def test_held_runs_on_but_is_not_started(keep):
    """While the broker starts anew, ingress must not find a broker without topics."""
    kept, _, _ = keep("sleep", "60")
    await until(lambda: kept.child)
    kept.hold()
    assert kept.child.alive
    os.kill(kept.child.pid, signal.SIGKILL)
    await asyncio.sleep(0.5)
    assert not kept.child.alive


async def test_hooks_in_order(keep):
    """died, ready, back: and neither died nor back at the first start."""
    said = []

    async def ready(_child):
        said.append("ready")

    async def died():
        said.append("died")

    async def back():
        said.append("back")

    kept, _, log = keep("sleep", "60", restarted="broker_restarted", ready=ready, died=died, back=back)
    await until(lambda: said == ["ready"])
    os.kill(kept.child.pid, signal.SIGKILL)
    await until(lambda: said == ["ready", "died", "ready", "back"])
    await kept.renew()
    await until(lambda: said[-3:] == ["died", "ready", "back"] and len(said) >= 7)
    assert [line["reason"] for line in log.named("broker_restarted")] == ["died", "renewed"]


async def test_never_ready_counts_as_a_death(keep):
    """It is ended and tried again, and its reason does not end the supervisor."""

    async def ready(_child):
        raise UnavailableError("no answer")

    _, task, log = keep("sleep", "60", ready=ready)
    await until(lambda: len(log.named("child_restarted")) >= 2)
    assert not task.done()


def test_tail_of_nothing(tmp_path):
    """A child that never wrote has an empty tail; a long log gives its last lines."""
    assert tail(tmp_path / "none") == ""
    (tmp_path / "log").write_text("\n".join(map(str, range(10_000))))
    assert tail(tmp_path / "log", 2) == "9998\n9999"
