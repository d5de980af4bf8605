"""What the tests of this folder share: brokers by kind, installations, and the figures they measured.

ISTHMUS_FAULTS_SHORT=1 is the short form: the same proofs with fewer repetitions.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from support import brokers
from support.load import DOCUMENT
from support.local_kafka import LocalKafka
from support.running import Isthmus

from processor.adapters.kafka.topics import ensure_topics

SHORT = os.environ.get("ISTHMUS_FAULTS_SHORT") == "1"
FIGURES = pytest.StashKey[list[str]]()
_HERE = Path(__file__).parent


class Broker(Protocol):
    bootstrap: str
    kind: str


Start = Callable[..., Awaitable[Isthmus]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.integration)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"measured: {line}")


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note what was measured; it is shown at the end of the run."""

    def note(words: str) -> None:
        request.config.stash.setdefault(FIGURES, []).append(f"{request.node.name}: {words}")

    return note


@pytest.fixture(scope="session")
def kills() -> int:
    return 3 if SHORT else 10


def _shared(request: pytest.FixtureRequest, folder: Path, kind: str) -> Iterator[brokers.Broker]:
    """The session's broker where it is of this kind, else one more."""
    chosen = brokers.choose()
    if chosen.kind is not None and (chosen.kind == "tansu") == (kind == "tansu"):
        yield request.getfixturevalue("broker")
        return
    running = brokers.start(brokers.choose({"ISTHMUS_TEST_KAFKA": kind}), folder / f"faults-{kind}")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def tansu(request: pytest.FixtureRequest, folder: Path) -> Iterator[brokers.Broker]:
    yield from _shared(request, folder, "tansu")


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, folder: Path) -> Iterator[brokers.Broker]:
    yield from _shared(request, folder, "kafka")


@pytest.fixture(params=["tansu", "kafka"])
def each_broker(request: pytest.FixtureRequest) -> brokers.Broker:
    found: brokers.Broker = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """An Apache Kafka for one test, which may kill and freeze it."""
    running = brokers.start_local(brokers.choose({"ISTHMUS_TEST_KAFKA": "kafka"}), tmp_path / "broker")
    assert isinstance(running, LocalKafka)
    yield running
    running.stop()


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> None:
    """Whatever broker and database a test asks for is there before its processes, and ends after them."""
    for name in ("tansu", "kafka", "each_broker", "own_kafka", "database", "own_postgres"):
        if name in request.fixturenames:
            request.getfixturevalue(name)


@pytest.fixture
async def start(servers: None, tmp_path: Path) -> AsyncIterator[Start]:
    """``await start(broker, dsn, document=…, **settings)``: topics and a revision; no process yet."""
    made: list[tuple[Isthmus, bool]] = []

    async def begin(broker: Any, dsn: str, document: str = DOCUMENT, **settings: str) -> Isthmus:
        own = isinstance(broker, LocalKafka)
        group = own or broker.kind != "tansu"
        isthmus = Isthmus(broker.bootstrap, dsn, tmp_path, group=group, **settings)
        made.append((isthmus, group and not own))
        await ensure_topics(isthmus.settings)
        await isthmus.apply(document)
        return isthmus

    yield begin
    for isthmus, shared in made:
        try:
            await isthmus.close()
        finally:
            if shared:
                await brokers.drop_topics(isthmus.settings.kafka, isthmus.settings.topic_prefix)
