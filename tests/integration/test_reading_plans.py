"""With a million contacts no read of the API walks a large table, planned for its values or for any."""

from datetime import UTC, datetime
from typing import Any

import pytest
from support.million import CONTACTS, DIRECTORY, transaction_key

from processor.adapters.postgres.lists import PostgresLists
from processor.adapters.postgres.reading import PostgresQueries
from processor.ports.queries import ListCriterion, TextCriterion

pytestmark = pytest.mark.integration


async def test_reading_one_contact(question: Any) -> None:
    """Also one that was merged into another."""
    queries = PostgresQueries(question.pool)
    found = await queries.contact(500_000, DIRECTORY)
    assert found is not None
    assert found.id == 499_999
    await question.check("contacts")


@pytest.mark.parametrize("after", [0, 500_000, CONTACTS])
async def test_reading_a_page_of_contacts(question: Any, after: int) -> None:
    await PostgresQueries(question.pool).contacts(DIRECTORY, after, 100)
    await question.check("contacts")


IDENTIFIERS = [("email", "U77@X.example"), ("extRef", "U77 ")]


@pytest.mark.parametrize("directory", [DIRECTORY, None])
@pytest.mark.parametrize(("field", "value"), IDENTIFIERS)
async def test_searching_by_an_identifier(question: Any, field: Any, value: str, directory: str | None) -> None:
    """Alone, and together with what no index knows."""
    queries = PostgresQueries(question.pool)
    alone = TextCriterion(field, "eq", value)
    for criteria in ([alone], [alone, TextCriterion("lastName", "eq", "N77")]):
        found = await queries.search(directory, criteria, 0, 100)
        assert [contact.id for contact in found] == [77]
    await question.check("contacts")


async def test_searching_in_a_list(question: Any) -> None:
    queries = PostgresQueries(question.pool)
    found = await queries.search(DIRECTORY, [ListCriterion("eq", "CG_3")], 0, 100)
    assert [contact.id for contact in found[:2]] == [7, 47]
    await question.check("contacts", "list_members")


async def test_reading_mailing_lists(question: Any) -> None:
    """A list's size is counted, so no page of lists is asked for here: it reads all their members, by the index."""
    lists = PostgresLists(question.pool)
    row = await lists.mailing_list(DIRECTORY, "CG_3")
    assert row is not None
    for after in (0, 300_000):
        assert len(await lists.members(DIRECTORY, "CG_3", after, 100)) > 10
    assert await lists.member(DIRECTORY, "CG_3", 7) is not None
    await question.check("contacts", "list_members")


async def test_reading_transactions(question: Any) -> None:
    queries = PostgresQueries(question.pool)
    (only,) = await queries.transactions(77, None, 50)
    assert only.key == transaction_key(76)
    assert await queries.transaction(77, (only.key, only.key)) == only
    assert await queries.transactions(77, (datetime(2026, 12, 1, tzinfo=UTC), only.key), 50) == []
    await question.check("transactions")


async def test_reading_dead_letters(question: Any) -> None:
    queries = PostgresQueries(question.pool)
    newest = (await queries.dead_letters())[0]
    assert await queries.dead_letter(newest.id) is not None
    await question.check("dead_letters")
