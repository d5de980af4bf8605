"""`isthmus try` and `isthmus sample` by the revision in force, on a real PostgreSQL in which nothing changes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from processor.cli.app import app
from processor.errors import ConfigError

pytestmark = pytest.mark.integration

DOCUMENT = """
version: 1
directories: [{id: POOL_a, name: A}]
sources: [{id: web, write_key: {env: A}}]
connections: [{name: crm, mappings: [{name: contact, action: addContactToXmd, fields: {directoryId: POOL_a}}]}]
"""


def written(database: str) -> list[Any]:
    """How many rows each of our tables was given."""

    async def work() -> list[Any]:
        connection = await asyncpg.connect(database)
        found = await connection.fetch("SELECT relname FROM pg_stat_user_tables ORDER BY relname")
        counts = [(name, await connection.fetchval(f'SELECT count(*) FROM "{name}"')) for (name,) in found]
        await connection.close()
        return counts

    return asyncio.run(work())


def test_the_revision_in_force(database: str, tmp_path: Path) -> None:
    """Before the first one a sentence says what to do; after it the newest counts, and no table has a row more."""

    def isthmus(*arguments: str, stdin: str = "") -> Any:
        return CliRunner().invoke(app, arguments, input=stdin, env={"ISTHMUS_POSTGRES": database})

    nothing = isthmus("sample", "--mapping", "contact")
    assert isinstance(nothing.exception, ConfigError)
    assert "isthmus config apply" in str(nothing.exception)
    file = tmp_path / "isthmus.yaml"
    file.write_text(DOCUMENT)
    assert isthmus("config", "apply", str(file)).exit_code == 0
    before = written(database)
    made = isthmus("sample", "--mapping", "contact")
    tried = isthmus("try", "--event", "-", "--json", stdin=made.stdout)
    assert json.loads(tried.stdout)["mappings"][0]["verdict"] == "applied"
    assert written(database) == before
    assert ("contacts", 0) in before
