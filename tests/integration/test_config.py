"""Revisions on a real PostgreSQL, by the port and by the commands as they are typed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.cli.config import app
from processor.config import Current, Secrets
from processor.errors import DocumentError, RejectedError
from processor.settings import Settings

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Pool

pytestmark = pytest.mark.integration

ONE = "version: 1\ndirectories: [{id: POOL_a, name: A}, {id: POOL_b, name: B}]\n"
TWO = ONE.replace("name: B", "name: C")
WITHOUT_B = "version: 1\ndirectories: [{id: POOL_a, name: A}]\n"


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator["Pool"]:
    pool = await open_pool(Settings.from_env({"ISTHMUS_POSTGRES": dsn}))
    try:
        yield pool
    finally:
        await pool.close()


async def directories(pool: "Pool") -> dict[str, str]:
    return {row["id"]: row["name"] for row in await pool.fetch("SELECT id, name FROM directories")}


async def fill(pool: "Pool", directory: str) -> None:
    """One contact with a transaction, and its key."""
    number = await pool.fetchval("SELECT dir FROM directories WHERE id = $1", directory)
    await pool.execute("INSERT INTO contacts (id, dir, why) VALUES ($1::int, $1, '{}')", number)
    await pool.execute("INSERT INTO match_keys (dir, key, contact) VALUES ($1::int, 'k', $1)", number)
    await pool.execute(
        "INSERT INTO transactions (key, dir, contact, date, data, source, mapping, message_id, revision)"
        " VALUES ($2, $1::int, $1, now(), '{}', 's', 'm', 'i', 1)",
        number,
        directory.encode(),
    )


async def test_history(database: str) -> None:
    """Revisions are numbered and kept; a document like the newest makes none; the directories follow."""
    async with opened(database) as pool:
        revisions = PostgresRevisions(pool)
        assert await revisions.latest() is None
        assert await revisions.newest() == 0
        first = await revisions.add(ONE, "ann", "the first")
        assert (first.document, first.applied_by, first.note) == (ONE, "ann", "the first")
        assert await revisions.add(ONE, "bob") == first
        second = await revisions.add(TWO, "bob")
        assert await revisions.newest() == second.number > first.number
        assert await revisions.get(first.number) == first
        assert await revisions.get(second.number + 1) is None
        assert await revisions.get(2**40) is None
        assert await revisions.history() == [second, first]
        assert await revisions.history(1) == [second]
        assert await directories(pool) == {"POOL_a": "A", "POOL_b": "C"}


async def test_faults_are_never_stored(database: str) -> None:
    """A document with faults changes nothing."""
    async with opened(database) as pool:
        with pytest.raises(DocumentError):
            await PostgresRevisions(pool).add("version: 2\n", "ann")
        assert await PostgresRevisions(pool).newest() == 0


async def test_adding_at_once(database: str) -> None:
    """Two who apply the same document at once make one revision."""
    async with opened(database) as pool:
        added = await asyncio.gather(*(PostgresRevisions(pool).add(ONE, f"p{n}") for n in range(5)))
        assert len({revision.number for revision in added}) == 1


async def test_removing_a_directory(database: str) -> None:
    """One with contacts stays, unless they are to be deleted; nobody else's are."""
    async with opened(database) as pool:
        revisions = PostgresRevisions(pool)
        first = await revisions.add(ONE, "ann")
        await fill(pool, "POOL_a")
        await fill(pool, "POOL_b")
        with pytest.raises(RejectedError, match=r"POOL_b .*--drop") as caught:
            await revisions.add(WITHOUT_B, "ann")
        assert caught.value.code == "directory_has_contacts"
        assert await revisions.newest() == first.number
        await revisions.add(WITHOUT_B, "ann", drop=True)
        for table in ("contacts", "match_keys", "transactions"):
            left = await pool.fetch(f"SELECT d.id FROM {table} JOIN directories d USING (dir)")
            assert [row["id"] for row in left] == ["POOL_a"]
        await revisions.add(ONE, "ann")
        assert await directories(pool) == {"POOL_a": "A", "POOL_b": "B"}


async def test_services_follow(database: str, tmp_path: Path) -> None:
    """A watcher takes what is added, and keeps the last good one when an older program cannot read it."""
    async with opened(database) as pool:
        revisions = PostgresRevisions(pool)
        current = Current(revisions, Secrets({}, tmp_path))
        assert not await current.refresh()
        first = await revisions.add(ONE, "ann")
        assert await current.refresh()
        assert current.current.revision == first.number
        await pool.execute("INSERT INTO revisions (document, applied_by) VALUES ('version: 9', 'a newer program')")
        assert not await current.refresh()
        assert current.current.revision == first.number
        assert current.refused is not None


@pytest.fixture
def isthmus(database: str, tmp_path: Path) -> Callable[..., Result]:
    env = {"ISTHMUS_POSTGRES": database, "ISTHMUS_DATA_DIR": str(tmp_path)}
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments], env=env)


def execute(database: str, statement: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def test_commands(isthmus: Callable[..., Result], tmp_path: Path) -> None:
    """Check, apply, compare, export, roll back: what a person sees."""
    file = tmp_path / "isthmus.yaml"
    source = "sources: [{id: web, write_key: open-secret}]\n"
    file.write_text(ONE + source)
    checked = isthmus("check", file)
    assert checked.exit_code == 0
    assert f"{file}:3: warning: sources[0].write_key: a secret in plain text" in checked.stderr
    assert isthmus("diff", file).stdout.startswith("--- nothing\n")
    assert isthmus("history").stdout == "Nothing has been applied yet.\n"
    assert isthmus("export").exit_code == 1
    assert "Applied as revision 1." in isthmus("apply", file, "--note", "first").stdout
    assert isthmus("apply", file).stdout == "This is revision 1 already; nothing changed.\n"
    file.write_text(TWO + source)
    assert "+directories: [{id: POOL_a, name: A}, {id: POOL_b, name: C}]" in isthmus("diff", file).stdout
    assert "No service is running" in isthmus("apply", file).stdout
    assert isthmus("diff", 1).stdout.startswith("--- revision 1\n+++ revision 2\n")
    assert isthmus("diff", 2, 2).stdout == "No difference.\n"
    assert isthmus("export", 1).stdout == ONE + source.replace("open-secret", "'***'")
    assert "Applied as revision 3." in isthmus("rollback", 1).stdout
    notes = [(entry["number"], entry["note"]) for entry in json.loads(isthmus("history", "--json").stdout)]
    assert notes == [(3, "rollback to revision 1"), (2, ""), (1, "first")]
    assert isthmus("rollback", 9).exit_code == 1


def test_faults(isthmus: Callable[..., Result], tmp_path: Path) -> None:
    """Every fault, one a line, and an exit code; nothing is applied."""
    file = tmp_path / "bad.yaml"
    file.write_bytes(b"version: 2\nsources: [{id: web}]\n")
    for command in ("check", "apply", "diff"):
        found = isthmus(command, file)
        assert found.exit_code == 1
        assert [line.partition(": ")[0] for line in found.stderr.splitlines()] == [f"{file}:1", f"{file}:2"]
    faults = json.loads(isthmus("check", file, "--json").stdout)
    assert (faults["ok"], [fault["line"] for fault in faults["faults"]]) == (False, [1, 2])
    file.write_bytes(b"version: 1\n# \xff\n")
    assert f"{file}:2: half a character" in isthmus("check", file).stderr
    assert isthmus("check", tmp_path / "none.yaml").exit_code == 2


def test_apply_reports(isthmus: Callable[..., Result], database: str, tmp_path: Path) -> None:
    """Who took it, who refused it and why, who is late; who has been silent for long is not waited for."""
    execute(
        database,
        "INSERT INTO processes (instance, service, revision, state, seen_at, details) VALUES"
        " ('a', 'directory', 9, 'running', now(), '{}'),"
        """ ('b', 'directory', 0, 'running', now(), '{"refused": {"number": 1, "reason": "too new"}}'),"""
        " ('c', 'ingress', 0, 'running', now(), '{}'),"
        " ('d', 'ingress', 0, 'running', now() - interval '20 s', '{}')",
    )
    file = tmp_path / "isthmus.yaml"
    file.write_text(ONE)
    found = isthmus("apply", file)
    assert found.exit_code == 1
    assert "directory (a) took it." in found.stdout
    assert "directory (b) refused it and stays with revision 0: too new" in found.stdout
    assert "ingress (c) has not taken it within 5 s" in found.stdout
    assert "(d)" not in found.stdout
