"""The pure pieces of deploy/kafka/kafka.py."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.local_kafka import REPOSITORY, brokers_seen, free_port, kafka


def settings(count: int, which: int = 0) -> dict[str, str]:
    nodes = [kafka.Node(i + 1, 20_000 + i, 21_000 + i, Path(f"/data/node-{i + 1}")) for i in range(count)]
    return dict(line.split("=", 1) for line in kafka.config(nodes[which], nodes).splitlines())


@pytest.mark.parametrize("nodes", [1, 3])
def test_topics_are_never_made_by_asking_for_them(nodes: int) -> None:
    """A metadata request for an unknown topic must not create it."""
    assert settings(nodes)["auto.create.topics.enable"] == "false"


@pytest.mark.parametrize(("nodes", "copies", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_copies_follow_the_number_of_nodes(nodes: int, copies: str, in_sync: str) -> None:
    """Three nodes survive the loss of one; one node can be written to at all."""
    written = settings(nodes)
    assert {written[key] for key in written if key.endswith("replication.factor")} == {copies}
    assert {written[key] for key in written if key.endswith(("min.isr", "min.insync.replicas"))} == {in_sync}


def test_every_node_names_all_controllers_and_itself() -> None:
    """The second of three: its own id, ports and folder, and the same three voters as everybody's."""
    written = settings(3, which=1)
    assert written["node.id"] == "2"
    assert written["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20001"
    assert written["log.dirs"] == "/data/node-2/data"
    assert written["controller.quorum.voters"] == "1@127.0.0.1:21000,2@127.0.0.1:21001,3@127.0.0.1:21002"


def test_everything_listens_on_loopback_only() -> None:
    """There is no password: nobody else on the network may connect."""
    listeners = settings(1)["listeners"].split(",")
    assert all(listener.split("://")[1].startswith("127.0.0.1:") for listener in listeners)


def test_the_quick_compiler_is_left_out_for_measuring() -> None:
    """KAFKA_FULL_JIT lets both compilers work."""
    assert "-XX:TieredStopAtLevel=1" in kafka.java_flags(full_jit=False)
    assert "-XX:TieredStopAtLevel=1" not in kafka.java_flags(full_jit=True)


def test_a_port_is_free_and_no_clients_own() -> None:
    """Below the range from which the kernel takes the ports of outgoing connections."""
    port = free_port()
    assert port < 32_768
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_nobody_answers_where_nobody_listens() -> None:
    """Zero brokers, no exception: start-up asks until there is an answer."""
    assert brokers_seen("127.0.0.1", free_port(), timeout_s=0.2) == 0


def test_no_repository_address_is_written_down() -> None:
    """Where the jars come from is Maven's setting."""
    pom = (REPOSITORY / "deploy/kafka/pom.xml").read_text()
    assert "<repositor" not in pom
    assert "://" not in pom


def test_without_java_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    """As a script, on a machine with neither Java nor Maven nor a cache."""
    script = REPOSITORY / "deploy/kafka/kafka.py"
    nothing = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, str(script), "run"]
    done = subprocess.run(command, env=nothing, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "needs Java 17 or newer and Maven" in done.stderr
