"""``isthmus contacts merge|unmerge|duplicates|delete|suppress|unsuppress`` as they are typed, on a real PostgreSQL."""

import asyncio
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from pydantic import SecretStr
from typer.testing import CliRunner

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.cli.app import app
from processor.domain.directory.from_request import Asking, contact_command, transaction_command
from processor.domain.directory.ids import contact_cid
from processor.domain.rules import Directory
from processor.errors import RejectedError
from processor.settings import Settings

pytestmark = pytest.mark.integration

PEOPLE = Directory("POOL_people", "People", (("extRef",),))
ADA, GUS = {"extRef": "ada-1", "email": "a@shop.example"}, {"extRef": "gus-1", "email": "A@shop.example"}


def document(*rules: str) -> str:
    """Two directories, the first with these merge rules."""
    return f"""
version: 1
directories: [{{id: POOL_people, name: People, merge_rules: [{", ".join(rules)}]}}, {{id: POOL_other, name: Other}}]
"""


class Shop:
    """A database with the document in force, and the command line beside it."""

    def __init__(self, database: str) -> None:
        self._settings = Settings(postgres=SecretStr(database))
        self.env = {"ISTHMUS_POSTGRES": database}

    def isthmus(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["contacts", *arguments], env=self.env)

    def json(self, *arguments: str) -> Any:
        result = self.isthmus(*arguments, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    def apply(self, *rules: str) -> None:
        self._run(lambda pool: PostgresRevisions(pool).add(document(*rules), "tests"))

    def people(self, *given: dict[str, Any], purchases: int = 0) -> list[str]:
        """The CIDs of these people, each with so many transactions."""

        async def work(pool: Any) -> list[str]:
            made = []
            for place, fields in enumerate(given):
                writer, asking = PostgresDirectoryWriter(pool), Asking(PEOPLE, "tests", f"r{place}", 1_000 + place)
                [became] = await writer.write(PEOPLE, [contact_command(asking, fields)], revision=1)
                assert became.contact is not None, became
                bought = [transaction_command(asking, str(n), became.contact, {}) for n in range(purchases)]
                await writer.write(PEOPLE, bought, revision=1)
                made.append(contact_cid(became.contact))
            return made

        cids: list[str] = self._run(work)
        return cids

    def _run(self, work: Callable[[Any], Any]) -> Any:
        async def opened() -> Any:
            pool = await open_pool(self._settings)
            try:
                return await work(pool)
            finally:
                await pool.close()

        return asyncio.run(opened())


@pytest.fixture
def shop(database: str) -> Shop:
    made = Shop(database)
    made.apply("[extRef]")
    return made


def refused(result: Result) -> str:
    """The code of an error of ours, which the program turns into a sentence and exit code 1."""
    assert isinstance(result.exception, RejectedError), (result.output, result.exception)
    return result.exception.code


def test_merge_and_unmerge(shop: Shop) -> None:
    """Both say what they did and how to take it back; afterwards everything is as it was."""
    ada, gus = shop.people(ADA, GUS, purchases=2)
    before = [shop.json("show", cid, "--why") for cid in (ada, gus)]
    result = shop.isthmus("merge", ada, gus)
    assert result.stdout.splitlines() == [
        f"{gus} is part of {ada} now; 2 transactions changed hands.",
        f"`isthmus contacts unmerge {gus}` takes it back.",
    ]
    assert shop.isthmus("show", gus).stdout.startswith(f"{gus} was merged away into {ada}.\n")
    merged = shop.json("show", gus)
    assert (merged["id"], len(merged["transactions"]), merged["merged"][0]["id"]) == (ada, 4, gus)
    result = shop.isthmus("unmerge", gus)
    assert result.stdout == f"{gus} and {ada} are two again; 2 transactions changed hands.\n"
    after = [shop.json("show", cid, "--why") for cid in (ada, gus)]
    for one in (*before, *after):
        del one["modified"]
    assert after == before


def test_merge_and_unmerge_as_json(shop: Shop) -> None:
    """Who stayed, who went, and how many transactions."""
    ada, gus = shop.people(ADA, GUS, purchases=1)
    both = {"winner": ada, "loser": gus, "transactions": 1}
    assert shop.json("merge", ada, gus) == both
    assert shop.json("unmerge", gus) == both


def test_what_cannot_be_merged(shop: Shop) -> None:
    """Nobody, oneself, and what was not merged to be taken back."""
    (ada,) = shop.people(ADA)
    assert refused(shop.isthmus("merge", ada, "nonsense")) == "unknown_contact"
    assert refused(shop.isthmus("merge", ada, contact_cid(4711))) == "unknown_contact"
    assert refused(shop.isthmus("merge", ada, ada)) == "same_contact"
    assert refused(shop.isthmus("unmerge", ada)) == "not_merged"


def test_duplicates_after_a_change_of_rules(shop: Shop) -> None:
    """They are listed once the new rule is in force, and no more once they are one."""
    ada, gus, _ = shop.people(ADA, GUS, {"extRef": "eve-1", "email": "e@shop.example"})
    assert shop.isthmus("duplicates").stdout == "No two contacts are one by the merge rules in force.\n"
    shop.apply("[extRef]", "[email]")
    pair = {"directory": "POOL_people", "rule": ["email"], "older": ada, "younger": gus}
    assert shop.json("duplicates") == shop.json("duplicates", "--directory", "POOL_people") == [pair]
    assert shop.json("duplicates", "--directory", "POOL_other") == []
    assert refused(shop.isthmus("duplicates", "--directory", "POOL_nowhere")) == "unknown_directory"
    shop.isthmus("merge", ada, gus)
    assert shop.json("duplicates") == []
    shop.isthmus("unmerge", gus)
    assert shop.json("duplicates") == [pair]
    shop.apply("[extRef]")
    assert shop.json("duplicates") == []


def test_delete(shop: Shop) -> None:
    """Nobody to ask: nothing is done. With --yes what went is counted, and who it was may come back."""
    ada, gus = shop.people(ADA, GUS, purchases=2)
    shop.isthmus("merge", ada, gus)
    result = shop.isthmus("delete", gus)
    assert (result.exit_code, result.stdout) == (2, "")
    assert shop.json("show", ada)["id"] == ada
    result = shop.isthmus("delete", gus, "--yes")
    assert result.stdout == "Deleted: 2 contacts, 4 transactions, 0 dead letters, 0 memberships.\n"
    assert refused(shop.isthmus("delete", ada, "--yes")) == "unknown_contact"
    (back,) = shop.people(ADA)
    counts = {"contacts": 1, "transactions": 0, "deadLetters": 0, "memberships": 0}
    assert shop.json("delete", back, "--yes") == {**counts, "hash": None}


def test_suppress(shop: Shop) -> None:
    """The person is gone and stays away, until it is lifted; no output names them."""
    (ada,) = shop.people(ADA, purchases=1)
    assert shop.isthmus("suppress", "ada-1").exit_code == 2
    result = shop.isthmus("suppress", "ada-1", "--yes")
    assert result.stdout.startswith("Deleted: 1 contact, 1 transaction, 0 dead letters, 0 memberships.")
    assert "Kafka" in result.stdout
    assert "ada-1" not in result.output
    assert shop.isthmus("show", ada).exit_code == 1
    with pytest.raises(AssertionError, match="suppressed"):
        shop.people(ADA)
    assert shop.isthmus("unsuppress", "ada-1").stdout == "Lifted; the next event may bring this person back.\n"
    assert len(shop.people(ADA)) == 1
    result = shop.isthmus("unsuppress", "ada-1", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"lifted": False})
    assert re.fullmatch(r"[0-9a-f]{32}", shop.json("suppress", "ada-1", "--yes")["hash"])


def at_a_terminal(env: dict[str, str], answer: str, arguments: Sequence[str]) -> tuple[int, str, str]:
    """Exit code, output and what was asked when a person answers so."""
    person, terminal = pty.openpty()
    try:
        command = [sys.executable, "-m", "processor", *arguments]
        os.write(person, f"{answer}\n".encode())
        done = subprocess.run(
            command, stdin=terminal, capture_output=True, text=True, env={**os.environ, **env}, timeout=30, check=False
        )
        return done.returncode, done.stdout, done.stderr
    finally:
        os.close(person)
        os.close(terminal)


def test_a_person_is_asked(shop: Shop, tmp_path: Path) -> None:
    """Anything but yes leaves everything as it is."""
    (ada,) = shop.people(ADA)
    env = {**shop.env, "ISTHMUS_DATA_DIR": str(tmp_path)}
    status, said, asked = at_a_terminal(env, "n", ["contacts", "delete", ada])
    assert (status, said.strip()) == (1, "")  # click writes the space before the answer to stdout
    assert f"Delete {ada} of POOL_people and all its transactions, for good?" in asked
    assert asked.endswith("Nothing was done.\n")
    assert shop.json("show", ada)["id"] == ada
    status, said, _ = at_a_terminal(env, "y", ["contacts", "delete", ada, "--json"])
    assert (status, json.loads(said)["contacts"]) == (0, 1)
    assert shop.isthmus("show", ada).exit_code == 1
