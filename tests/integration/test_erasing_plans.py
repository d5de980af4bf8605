"""With a million contacts taking somebody away reads no large table from end to end."""

from typing import Any

import pytest
from support.million import DIRECTORY, RULES
from support.owner import Owner

from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.domain.directory.command import Command
from processor.domain.rules import Directory, Rules

pytestmark = pytest.mark.integration

THREE_RULES = Rules(1, {}, {DIRECTORY: Directory(DIRECTORY, "Large", RULES)}, ())


async def test_a_batch_that_forgets_people(question: Any) -> None:
    gone = [Command(DIRECTORY, "delete", "web", f"gone-{n}", 2_000, forget=f"u{n}") for n in range(710_001, 710_003)]
    owner = await Owner(question.pool, THREE_RULES).admit()
    await owner.write(*gone)
    await question.check("match_keys", "contacts", "transactions", "list_members", "dead_letters")


async def test_deleting_a_contact(question: Any) -> None:
    erased = await PostgresDirectoryWriter(question.pool).delete_contact(DIRECTORY, 310_001, "tests")
    assert erased is not None
    assert (erased.contacts, erased.transactions) == (1, 1)
    await question.check("contacts", "transactions", "match_keys", "list_members", "dead_letters", "idempotency_keys")


async def test_suppressing_somebody(question: Any) -> None:
    erased = await PostgresDirectoryWriter(question.pool).suppress("u320001", "tests")
    assert erased.contacts == 1
    assert await PostgresDirectoryWriter(question.pool).unsuppress("u320001")
    await question.check("contacts", "transactions", "match_keys", "list_members", "dead_letters", "idempotency_keys")
