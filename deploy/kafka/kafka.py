"""A local Apache Kafka for development and CI: one or three KRaft nodes on free loopback ports.

    python deploy/kafka/kafka.py run [--nodes 1|3] [--dir DIR] [--port N]

prints the bootstrap address when it is ready and stops on Ctrl-C, SIGTERM, or when a pipe on its standard
input closes. It needs Java 17 and Maven; the jars are fetched once into the user's cache. Tests use `LocalKafka`.
Standard library only, so that it runs before anything is installed.
"""

import argparse
import base64
import hashlib
import importlib.util
import os
import random
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["Child", "KafkaError", "LocalKafka", "Node", "brokers_seen", "config", "fetch", "free_port", "lacking"]

HERE = Path(__file__).resolve().parent
START_TIMEOUT_S = 90.0  # 2.5 s on two idle cores; the rest is for a crowded machine
STOP_GRACE_S = 15.0


class KafkaError(Exception):
    """The local Kafka cannot run; the message is one sentence for a person."""


def _sibling(name: str) -> ModuleType:
    """Load a file beside this one: this folder is never on sys.path, neither as a script (-P) nor by path."""
    spec = importlib.util.spec_from_file_location(f"isthmus_local_kafka_{name}", HERE / f"{name}.py")
    if spec is None or spec.loader is None:
        raise KafkaError(f"{name}.py is missing beside {__file__}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from keeper import Child
else:
    Child = _sibling("keeper").Child


@dataclass(frozen=True, slots=True)
class Node:
    """One combined broker and controller: its number from 1, its two ports, its folder."""

    id: int
    port: int
    controller_port: int
    directory: Path


def config(node: Node, nodes: Sequence[Node]) -> str:
    """The server.properties of `node`, one of `nodes`."""
    many = len(nodes) > 1
    copies, in_sync = (3, 2) if many else (1, 1)
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.id,
        # Written out, not discovered: the ports may differ at the next start of the same folder.
        "controller.quorum.voters": ",".join(f"{n.id}@127.0.0.1:{n.controller_port}" for n in nodes),
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": node.directory / "data",
        # Metadata requests create topics otherwise, with a partition count nobody chose.
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        # A killed node may come back only when its old session is over: 9 s by default, too long for many tests.
        "broker.session.timeout.ms": 4_000,
        "broker.heartbeat.interval.ms": 500,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def java_flags(full_jit: bool) -> list[str]:
    """Start quickly on few cores; `full_jit` (KAFKA_FULL_JIT) is for measuring: there C2 pays."""
    flags = ["-Xmx384m", "-Xms384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Xshare:auto"]
    return flags if full_jit else [*flags, "-XX:TieredStopAtLevel=1"]


def free_port() -> int:
    """A free loopback port below 32768.

    Linux takes the ports of outgoing connections from 32768 up: a client that keeps trying a killed broker's
    port up there can hit upon itself as the peer, and then the broker cannot come back.
    """
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def brokers_seen(host: str, port: int, timeout_s: float = 2.0) -> int:
    """How many brokers the one at this address knows, 0 without an answer: a raw Metadata request, v1."""
    body = struct.pack(">hhih", 3, 1, 1, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = b""
            while len(answer) < 12:  # length, correlation id, number of brokers
                part = connection.recv(4096)
                if not part:
                    return 0
                answer += part
    except OSError:
        return 0
    return int(struct.unpack(">i", answer[8:12])[0])


def lacking() -> str | None:
    """What this machine lacks, or None."""
    wanted = [("java", "Java 17 or newer"), ("mvn", "Maven (to fetch the jars once)")]
    if _jars_folder().is_dir():
        wanted.pop()
    names = [words for command, words in wanted if shutil.which(command) is None]
    return " and ".join(names) or None


def _jars_folder() -> Path:
    """In the user's cache, by Kafka's version and by the pom, so that a changed pom fetches anew."""
    pom = (HERE / "pom.xml").read_text()
    version = pom.split("<artifactId>kafka_2.13</artifactId>")[1].split("<version>")[1].split("<")[0]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "isthmus" / f"kafka-{version}" / hashlib.sha256(pom.encode()).hexdigest()[:8]


def fetch() -> Path:
    """The folder with Kafka's jars, filled by Maven when it is not there yet. Raises KafkaError."""
    jars = _jars_folder()
    missing = lacking()
    if missing:
        raise KafkaError(f"A local Apache Kafka needs {missing}; or name a broker in ISTHMUS_KAFKA.")
    if jars.is_dir():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent, ignore_cleanup_errors=True) as work:
        shutil.copy(HERE / "pom.xml", work)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={work}/jars"]
        command = ["mvn", "-q", "-B", "-Dstyle.color=never", "-f", f"{work}/pom.xml", *goal]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
            raise KafkaError(f"Maven could not fetch Apache Kafka: {said.removeprefix('[ERROR]').strip()}")
        try:
            Path(work, "jars").rename(jars)
        except OSError:  # another process was quicker
            if not jars.is_dir():
                raise
    return jars


class LocalKafka:
    """Nodes count from 0 here. A folder that was used before keeps its topics; the ports may be new."""

    def __init__(self, directory: Path, nodes: int = 1, port: int | None = None) -> None:
        ports = [port + i if port else free_port() for i in range(nodes)]
        folder = Path(directory).resolve()
        self.nodes = [Node(i + 1, ports[i], free_port(), folder / f"node-{i + 1}") for i in range(nodes)]
        self.bootstrap = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        self._children: dict[int, Child] = {}
        self._jars = Path()

    def start(self) -> None:
        """Return when every node knows every node. Raises KafkaError, and nothing is left running then."""
        self._jars = fetch()
        try:
            self._format()
            for i in range(len(self.nodes)):
                self._run(i)
            for i in range(len(self.nodes)):
                self._wait(i)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what runs, all nodes at once: a controller that has lost its majority would wait otherwise."""
        for child in self._children.values():
            child.signal("SIGCONT")
            child.signal("SIGTERM")
        for child in self._children.values():
            child.stop()
        self._children.clear()

    def alive(self, i: int) -> bool:
        return i in self._children and self._children[i].alive

    def pid(self, i: int) -> int:
        return int(self._children[i].pid)

    def kill(self, i: int = 0) -> None:
        """SIGKILL; returns when it is gone."""
        self._children.pop(i).kill()

    def freeze(self, i: int = 0) -> None:
        """SIGSTOP; returns when it has stopped."""
        self._children[i].freeze()

    def thaw(self, i: int = 0) -> None:
        self._children[i].thaw()

    def restart(self, i: int = 0) -> None:
        """Stop it in order if it runs, start it on the same ports; returns when it knows every node that runs."""
        if i in self._children:
            self._children.pop(i).stop()
        self._run(i)
        self._wait(i)

    def _java(self, *arguments: str) -> list[str]:
        flags = java_flags(bool(os.environ.get("KAFKA_FULL_JIT")))
        log4j = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        return ["java", *flags, log4j, "-cp", f"{self._jars}/*", *arguments]

    def _format(self) -> None:
        # The first letter is ours: with "-" in front the tool would take the id for an option.
        cluster = "I" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        running = []
        for node in self.nodes:
            node.directory.mkdir(parents=True, exist_ok=True)
            settings = node.directory / "server.properties"
            settings.write_text(config(node, self.nodes))
            if (node.directory / "data" / "meta.properties").exists():
                continue
            command = self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings))
            running.append((node, Child(command, node.directory / "format.log")))
        for node, child in running:
            deadline = time.monotonic() + START_TIMEOUT_S
            while child.alive and time.monotonic() < deadline:
                time.sleep(0.02)
            child.kill()
            if not (node.directory / "data" / "meta.properties").exists():
                raise KafkaError(f"Kafka's storage could not be formatted ({child.log}): {child.last_line()}")

    def _run(self, i: int) -> None:
        node = self.nodes[i]
        command = self._java("kafka.Kafka", str(node.directory / "server.properties"))
        self._children[i] = Child(command, node.directory / "node.log", grace_s=STOP_GRACE_S)

    def _wait(self, i: int) -> None:
        node, child = self.nodes[i], self._children[i]
        deadline = time.monotonic() + START_TIMEOUT_S
        while brokers_seen("127.0.0.1", node.port) < len(self._children):
            if not child.alive:
                raise KafkaError(f"Kafka's node {node.id} ended at once ({child.log}): {child.last_line()}")
            if time.monotonic() > deadline:
                raise KafkaError(f"Kafka's node {node.id} was not ready in {START_TIMEOUT_S:.0f} s ({child.log}).")
            time.sleep(0.05)


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="isthmus-kafka-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _until_told(kafka: LocalKafka) -> None:
    """Until a pipe on standard input closes (signals interrupt). Raises KafkaError when a node ends."""
    try:
        mode = os.fstat(0).st_mode
        piped = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    except OSError:
        piped = False
    while True:
        readable, _, _ = select.select([0] if piped else [], [], [], 0.5)
        if readable and not os.read(0, 4096):
            return
        for i, node in enumerate(kafka.nodes):
            if not kafka.alive(i):
                raise KafkaError(f"Kafka's node {node.id} ended by itself ({node.directory / 'node.log'}).")


def _interrupt(_signal: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one request is enough; stopping must not be interrupted
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kafka.py", description="A local Apache Kafka.")
    run = parser.add_subparsers(required=True).add_parser("run", help="run it until Ctrl-C")
    run.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    run.add_argument("--dir", type=Path, help="keep the data here; left out: in a folder removed at the end")
    run.add_argument("--port", type=int, help="of the first node, the others follow; left out: free ones")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        with _folder(chosen.dir) as directory:
            kafka = LocalKafka(directory, chosen.nodes, chosen.port)
            try:
                kafka.start()
                print(kafka.bootstrap, flush=True)  # noqa: T201
                print("Apache Kafka is ready; Ctrl-C stops it.", file=sys.stderr, flush=True)  # noqa: T201
                _until_told(kafka)
            finally:
                kafka.stop()
    except KeyboardInterrupt:
        return 0
    except (KafkaError, OSError) as error:
        print(f"kafka: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
