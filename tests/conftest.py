"""What every test may ask for: a broker, a topic prefix, a database. Their modules are in tests/support/."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from hypothesis import settings

# This folder, and never the repository: its `ingress` and `processor` would shadow the installed wheel.
sys.path.append(str(Path(__file__).parent))

from support import brokers, databases
from support.local_kafka import Child, LocalKafka

BROKER = pytest.StashKey[brokers.Choice]()
DATABASE = pytest.StashKey[databases.Choice]()


# What must pass before a change lands is the same each time; chance has its place in `make fuzz` and at the desk.
# No deadline for an example: on a busy machine it would measure the machine.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-broker", action="store_true", help="only the tests that use the chosen broker")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--only-broker"):
        # The contracts ask for it by name, for the real one of two implementations.
        others = [
            item
            for item in items
            if "broker" not in getattr(item, "fixturenames", ()) and item.path.parent.name != "contracts"
        ]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BROKER] = brokers.choose()
    config.stash[DATABASE] = databases.choose()


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"broker: {config.stash[BROKER].words}", f"database: {config.stash[DATABASE].words}"]


def pytest_unconfigure() -> None:
    """A last round, for what a broken fixture left; a killed session is the keepers' business."""
    for child in list(Child.started):
        child.kill()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """For servers' data; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="isthmus-tests-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)  # a server that runs as another user has to reach its own folder
        yield Path(made)


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config, folder: Path) -> Iterator[brokers.Broker]:
    """The session's broker: `.bootstrap`, `.kind`. Use topics under `topic_prefix`, and leave it running."""
    running = brokers.start(pytestconfig.stash[BROKER], folder / "broker")
    yield running
    running.stop()


@pytest.fixture
def own_broker(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[LocalKafka | brokers.LocalTansu]:
    """A broker for one test, which may kill, freeze, thaw and restart it."""
    running = brokers.start_local(pytestconfig.stash[BROKER], tmp_path / "broker")
    yield running
    running.stop()


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """Such as `t3f9a1c.`; on the session's Apache Kafka, topics that begin with it are removed afterwards."""
    prefix = f"t{token_hex(3)}."
    shared = request.getfixturevalue("broker") if "broker" in request.fixturenames else None
    yield prefix
    if shared is not None and shared.kind != "tansu":
        databases.run(brokers.drop_topics(shared.bootstrap, prefix))


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config, folder: Path) -> Iterator[databases.Server]:
    """The session's PostgreSQL: `.dsn` of its maintenance database. Most tests want `database`."""
    running = databases.start(pytestconfig.stash[DATABASE], folder / "postgres")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def template_database(postgres_server: databases.Server) -> Iterator[str]:
    """The name of a database that was migrated once and that nobody is connected to."""
    from processor.adapters.postgres.migrate import migrate

    name = f"isthmus_template_{token_hex(4)}"
    databases.run(databases.execute(postgres_server.dsn, f"CREATE DATABASE {name}"))
    databases.run(migrate(databases.named(postgres_server.dsn, name)))
    yield name
    databases.run(databases.execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database(postgres_server: databases.Server, template_database: str) -> Iterator[str]:
    """The DSN of a migrated, empty database of the test's own."""
    name = f"t{token_hex(6)}"
    make = f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY"
    databases.run(databases.execute(postgres_server.dsn, make))
    yield databases.named(postgres_server.dsn, name)
    databases.run(databases.execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def own_postgres() -> Iterator[databases.LocalPostgres]:
    """A PostgreSQL from the wheel for one test, which may restart or kill it; `.dsn` is not migrated."""
    with tempfile.TemporaryDirectory(prefix="isthmus-postgres-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        running = databases.LocalPostgres(Path(made) / "postgres")
        running.start()
        yield running
        running.stop()
