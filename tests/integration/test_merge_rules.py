"""Several merge rules: the documented outcome of given events in a given order, in one batch and one at a time."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from support.owner import Owner

from processor.adapters.postgres.commit import PostgresSink
from processor.adapters.postgres.pool import open_pool
from processor.domain.directory.command import STANDARD_FIELDS, Command
from processor.domain.rules import Directory, Rules
from processor.settings import Settings

pytestmark = pytest.mark.integration

CASES = json.loads((Path(__file__).parent.parent / "cases" / "merge_rules.json").read_text("utf-8"))
COLUMNS = "ext_ref, email, phone, first_name, last_name, language, unsubscribed"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    yield pool
    await pool.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_the_outcome_of_an_order(pool: Any, case: dict[str, Any]) -> None:
    """In one batch and one by one: contacts in the order of their making, and how many events led to more than one."""
    for directory, size in (("POOL_batch", len(case["events"])), ("POOL_single", 1)):
        contacts, ambiguous = await outcome(pool, case, directory, size)
        assert contacts == case["contacts"]
        assert ambiguous == case.get("ambiguous", 0)


async def outcome(pool: Any, case: dict[str, Any], name: str, size: int) -> tuple[list[dict[str, Any]], int]:
    rules = tuple(map(tuple, case["rules"]))
    insert = "INSERT INTO directories (id, name, key_rules) VALUES ($1, $1, $2) RETURNING dir"
    number = await pool.fetchval(insert, name, [list(rule) for rule in rules])
    owner = await Owner(pool, Rules(1, {}, {name: Directory(name, name, rules)}, ()), number).admit()
    counted: list[int] = []
    owner.sink = PostgresSink(pool, "directory", counted.append)
    commands = [
        Command(name, "crm/contact", "web", f"m{place}", event.pop("at"), event)
        for place, event in enumerate(dict(event) for event in case["events"])
    ]
    for start in range(0, len(commands), size):
        await owner.write(*commands[start : start + size])
    rows = await pool.fetch(f"SELECT {COLUMNS} FROM contacts WHERE dir = $1 ORDER BY id", number)
    found = [
        {name: value for name, value in zip(STANDARD_FIELDS, row, strict=True) if value is not None} for row in rows
    ]
    return found, sum(counted)
