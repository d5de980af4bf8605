"""`isthmus up` with its embedded parts, as a user runs it: real processes, real signals."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from uuid import uuid4

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

ENV = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def isthmus(*arguments, data_dir, timeout=30):
    """A command from a second terminal."""
    return subprocess.run(
        [sys.executable, "-m", "processor", *arguments],
        env={**ENV, "ISTHMUS_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def runs(pid):
    """An orphan that ended may stay as a zombie where nobody reaps, in a container."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False).stdout.strip()
    return state != b"" and not state.startswith(b"Z")


def until(condition, within_s, what):
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    return pytest.fail(f"not within {within_s} s: {what}")


class Up:
    """One `isthmus up` in a terminal of its own."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.port = free_port()
        self.out = data_dir.with_suffix(".out")
        self.started = time.monotonic()
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "processor", "up", "--data-dir", str(data_dir), "--port", str(self.port)],
                env=ENV,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self):
        until(lambda: "Stop: Ctrl-C" in self.said() or self.process.poll() is not None, 60, "the banner")
        assert self.process.poll() is None, self.said()
        return self

    def said(self):
        return self.out.read_text()

    def lines(self, event):
        """The log's lines of that name."""
        told = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [line for line in told if line["event"] == event]

    def pid(self, child):
        return [line["pid"] for line in self.lines("child_started") if line["child"] == child][-1]

    def pids(self):
        return [line["pid"] for line in self.lines("child_started")]

    def kill(self, child):
        """SIGKILL it, and wait for the one that takes its place."""
        before = self.pid(child)
        os.kill(before, signal.SIGKILL)
        until(lambda: self.pid(child) != before, 15, f"another {child}")

    def identify(self, email):
        """POST one identify; the HTTP status, 0 when nobody answers."""
        key = re.search(r"write key +(\S+)", self.said())[1]
        body = {"messageId": str(uuid4()), "userId": email, "traits": {"email": email, "firstName": "Ada"}}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/identify",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def finds(self, email):
        """Whether the command that the banner shows finds the contact."""
        found = isthmus("contacts", "find", "--email", email, data_dir=self.data_dir)
        return email in found.stdout

    def stop(self):
        """Ctrl-C. The exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


@pytest.fixture
def up(tmp_path):
    """Starts `isthmus up` on one and the same folder."""
    made = []

    def start():
        made.append(Up(tmp_path / "data"))
        return made[-1]

    yield start
    for one in made:
        with suppress(ProcessLookupError):
            one.process.kill()
        one.process.wait()
    for one in made:
        until(lambda one=one: not any(map(runs, one.pids())), 25, "no orphan")


def test_an_event_becomes_a_contact_that_survives(up):
    """Up within 60 s; POST, find; Ctrl-C ends with 0 and leaves nothing running; after a restart it is there."""
    first = up().ready()
    assert time.monotonic() - first.started < 60
    assert json.loads((first.data_dir / "run.json").read_bytes())["url"] == f"http://127.0.0.1:{first.port}"
    assert first.identify("ada@example.com") == 200
    until(lambda: first.finds("ada@example.com"), 15, "the contact")
    assert first.stop() == 0
    assert not (first.data_dir / "run.json").exists()
    assert not any(map(runs, first.pids()))

    second = up().ready()
    assert second.finds("ada@example.com")
    assert second.identify("grace@example.com") == 200
    until(lambda: second.finds("grace@example.com"), 15, "a contact of the second run")


def test_what_dies_is_started_again(up):
    """SIGKILL of ingress, services, broker and database, one after the other: events go through after each."""
    running = up().ready()
    for number, child in enumerate(("ingress", "services", "broker", "postgres")):
        running.kill(child)
        email = f"after-{number}@example.com"
        until(lambda email=email: running.identify(email) == 200, 40, f"200 after the {child}")
        until(lambda email=email: running.finds(email), 40, f"the contact after the {child}")
    died = {line["child"] for line in running.lines("child_restarted")}
    assert died == {
        "ingress",
        "postgres",
        "services",
    }  # services perhaps again: without its database it may end with 75
    assert [line["reason"] for line in running.lines("broker_restarted")] == ["died"]
    assert running.process.poll() is None


def test_a_killed_supervisor_leaves_no_orphan(up):
    """SIGKILL: every child has ended within 10 s, and the folder can be used again at once."""
    first = up().ready()
    first.process.kill()
    second = up()
    until(lambda: not any(map(runs, first.pids())), 10, "no orphan")
    second.ready()


def test_refusals_are_one_sentence(up, tmp_path):
    """A folder in use names the process, a port in use the option; neither disturbs the one that runs."""
    running = up().ready()
    same = isthmus("up", "--port", "0", data_dir=running.data_dir)
    assert same.returncode == 78
    assert f"process {running.process.pid}" in same.stderr
    port = isthmus("up", "--port", str(running.port), data_dir=tmp_path / "other")
    assert port.returncode == 78
    assert "--port" in port.stderr
    for refused in (same, port):
        assert len(refused.stderr.strip().splitlines()) == 1
        assert refused.stdout == ""
    assert running.identify("still@example.com") == 200
