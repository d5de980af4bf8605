"""The commands as they are typed, on a real PostgreSQL."""

import asyncio
import json
from collections.abc import Callable

import asyncpg
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from processor.cli import contacts, deadletters, ledger, setup
from processor.domain.directory.ids import contact_cid

pytestmark = pytest.mark.integration


@pytest.fixture
def isthmus(database: str) -> Callable[..., Result]:
    app = typer.Typer()
    app.add_typer(contacts.app, name="contacts")
    app.add_typer(deadletters.app, name="deadletters")
    ledger.add(app)
    setup.add(app)
    return lambda *arguments: CliRunner().invoke(app, arguments, env={"ISTHMUS_POSTGRES": database})


def execute(database: str, statement: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def test_migrate_says_when_nothing_is_to_do(isthmus: Callable[..., Result], database: str) -> None:
    """A second run changes nothing; a missing one is named."""
    for arguments in (["migrate"], ["migrate", "post"]):
        result = isthmus(*arguments)
        assert (result.exit_code, result.stdout) == (0, "The schema is up to date.\n")


def test_resume(isthmus: Callable[..., Result], database: str) -> None:
    """Once; a service that is not paused is exit code 1."""
    execute(database, "INSERT INTO pauses (service, revision, reason) VALUES ('directory', 3, 'too many')")
    result = isthmus("resume", "directory")
    assert (result.exit_code, result.stdout) == (0, "directory goes on with revision 3 within a few seconds.\n")
    result = isthmus("resume", "directory")
    assert (result.exit_code, result.stdout) == (1, "The service 'directory' is not paused.\n")


def test_nothing_there_yet(isthmus: Callable[..., Result]) -> None:
    """A sentence for people, empty JSON for programs."""
    assert isthmus("contacts", "find", "--email", "a@b.example").stdout == "No contact matches.\n"
    assert isthmus("deadletters", "list").stdout == "There are no dead letters.\n"
    assert isthmus("ledger").stdout.startswith("The ledger is empty")
    assert json.loads(isthmus("ledger", "--by", "mapping", "--json").stdout) == {
        "records": [], "unaccounted": {}, "effects": []
    }  # fmt: skip
    assert isthmus("deadletters", "show", "1").exit_code == 1


def test_find_and_show(isthmus: Callable[..., Result], database: str) -> None:
    """What find prints, show takes."""
    execute(database, "INSERT INTO directories (id, name) VALUES ('POOL_a', 'A')")
    execute(
        database,
        "INSERT INTO contacts (id, dir, ext_ref, email, why) VALUES (5, 1, 'u5', 'Ada@shop.example',"
        """ '{"by": {}, "w": [[1, 0, "m1", "crm/contact"]], "f": {"email": 0}}')""",
    )
    (found,) = json.loads(isthmus("contacts", "find", "--email", "ADA@SHOP.example", "--json").stdout)
    assert found["id"] == contact_cid(5)
    shown = json.loads(isthmus("contacts", "show", found["id"], "--why", "--json").stdout)
    assert shown["why"]["fields"]["email"]["message"] == "m1"
    assert (
        isthmus("contacts", "find", "--email", "ada@shop.example", "--ext-ref", "u6").stdout == "No contact matches.\n"
    )


def test_a_ledger_with_a_gap(isthmus: Callable[..., Result], database: str) -> None:
    """Exit code 1, so that a script notices."""
    execute(
        database,
        "INSERT INTO progress VALUES ('directory', 'segment.events', 0,"
        " '01970000-0000-7000-8000-000000000001', 1, 'me', 0, 3)",
    )
    result = isthmus("ledger", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["unaccounted"] == {"directory": 3}
