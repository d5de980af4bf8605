"""Reading mailing lists, merges and duplicates, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from processor.adapters.postgres.duplicates import PostgresMerges
from processor.adapters.postgres.lists import PostgresLists
from processor.adapters.postgres.pool import open_pool
from processor.domain.directory.matching import lookup_keys
from processor.domain.rules import Directory
from processor.ports.lists import MailingListRow
from processor.ports.merges import DuplicatePair, MergeRow
from processor.settings import Settings

pytestmark = pytest.mark.integration

BORN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
WROTE = [1, 1_769_860_800_000, "m1", "crm/contact"]


@dataclass
class Store:
    pool: Any
    lists: PostgresLists
    merges: PostgresMerges

    async def contact(self, number: int, directory: int = 1, merged_into: int | None = None, **values: Any) -> None:
        written = ["extRef", "email", *(f"embeddedData.{name}" for name in values.get("embedded", ()))]
        await self.pool.execute(
            "INSERT INTO contacts (id, dir, ext_ref, email, embedded, why, created_at, merged_into)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            number,
            directory,
            values.get("ext_ref"),
            values.get("email"),
            values.get("embedded", {}),
            {"by": {}, "w": [WROTE], "f": dict.fromkeys(written, 0)},
            BORN + timedelta(days=values.get("day", number)),
            merged_into,
        )


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """Two directories; contacts 1 to 5 of the first, of which 5 was merged into 4, and 6 of the second."""
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    made = Store(pool, PostgresLists(pool), PostgresMerges(pool))
    await pool.execute("INSERT INTO directories (id, name) VALUES ('POOL_a', 'A'), ('POOL_b', 'B')")
    for number in range(1, 6):
        await made.contact(number, email=f"p{number}@shop.example", merged_into=4 if number == 5 else None)
    await made.contact(6, 2, email="p6@shop.example")
    await pool.executemany(
        "INSERT INTO mailing_lists (dir, id, name, of_document, created_at) VALUES ($1, $2, $3, $4, $5)",
        [
            (1, "CG_all", "Everybody", True, BORN),
            (1, "CG_vip", "Few", False, BORN),
            (1, "CG_none", "Nobody", False, BORN),
            (2, "CG_all", "Others", True, BORN),
        ],
    )
    await pool.executemany(
        "INSERT INTO list_members (contact, dir, list, unsubscribed, unsubscribed_at, joined_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [(number, 1, "CG_all", number == 2, BORN if number == 2 else None, BORN) for number in (1, 2, 4)]
        + [(3, 1, "CG_vip", False, None, BORN), (6, 2, "CG_all", False, None, BORN)],
    )
    yield made
    await pool.close()


async def test_mailing_lists(store: Store) -> None:
    """Of one directory, in pages, counted."""
    everybody = MailingListRow("CG_all", "Everybody", True, BORN, 3)
    first = await store.lists.mailing_lists("POOL_a", "", 2)
    assert (first[0], [row.id for row in first]) == (everybody, ["CG_all", "CG_none"])
    assert [(r.id, r.members) for r in await store.lists.mailing_lists("POOL_a", "CG_none", 2)] == [("CG_vip", 1)]
    assert await store.lists.mailing_list("POOL_a", "CG_all") == everybody
    assert await store.lists.mailing_list("POOL_b", "CG_vip") is None
    assert await store.lists.mailing_lists("POOL_nobody", "", 9) == []


async def test_members(store: Store) -> None:
    """The whole contact with its opt-out of this list, in pages; a merged one stands for its winner."""
    page = await store.lists.members("POOL_a", "CG_all", -1, 2)
    assert [(m.contact.id, m.unsubscribed, m.unsubscribed_at) for m in page] == [(1, False, None), (2, True, BORN)]
    assert (page[0].contact.email, page[0].contact.directory, page[0].contact.unsubscribed) == (
        "p1@shop.example", "POOL_a", None
    )  # fmt: skip
    assert [m.contact.id for m in await store.lists.members("POOL_a", "CG_all", 2, 9)] == [4]
    assert [m.contact.id for m in await store.lists.members("POOL_b", "CG_all", -1, 9)] == [6]
    winner = await store.lists.member("POOL_a", "CG_all", 5)
    assert winner is not None
    assert winner.contact.id == 4
    for directory, list_, contact in (("POOL_a", "CG_all", 3), ("POOL_b", "CG_all", 1), ("POOL_a", "CG_x", 1)):
        assert await store.lists.member(directory, list_, contact) is None


async def test_pages_of_members_walk_their_index(store: Store) -> None:
    """A page of a large list does not read the list."""
    await store.pool.execute(
        "INSERT INTO contacts (id, dir, why) SELECT n, 1, '{}' FROM generate_series(1000, 31000) n"
    )
    await store.pool.execute(
        "INSERT INTO list_members (contact, dir, list) SELECT n, 1, 'CG_all' FROM generate_series(1000, 31000) n"
    )
    await store.pool.execute("ANALYZE")
    for name, values in (("members", ("POOL_a", "CG_all", 9000, 100)), ("member", ("POOL_a", "CG_all", 9000))):
        statement = f"EXPLAIN {store.lists._sql[name]}"
        plan = "\n".join(row[0] for row in await store.pool.fetch(statement, *values))
        assert "list_members_pkey" in plan or "list_members_by_contact" in plan, plan
        assert "Seq Scan on contacts" not in plan, plan
        assert "Seq Scan on list_members" not in plan, plan


async def waiting(store: Store, rules: Sequence[Sequence[str]], values: dict[str, Any], owner: int, other: int) -> None:
    """Every key of the values is the owner's, and the other waits for it."""
    for key in lookup_keys(rules, values):
        await store.pool.execute("INSERT INTO match_keys (dir, key, contact) VALUES (1, $1, $2)", key, owner)
        await store.pool.execute("INSERT INTO waiting_keys (dir, key, contact) VALUES (1, $1, $2)", key, other)


async def test_duplicates(store: Store) -> None:
    """Pairs of rules in force, the oldest first; no pair of another rule, of another directory, of one merged away,
    or of a contact that carries the key no more.

    Contact 11 is older than 10, although 10 has the key: it came to its value later.
    """
    rules = (("extRef",), ("email", "embeddedData.plan"))
    same = {"ext_ref": "x", "email": "Ada@shop.example", "embedded": {"plan": "gold"}}
    await store.contact(10, **same, day=20)
    await store.contact(11, **{**same, "email": "ada@SHOP.example ", "ext_ref": "y"}, day=10)
    await store.contact(12, **{**same, "email": "bob@shop.example", "ext_ref": "X"}, day=30)
    await store.contact(13, **same, merged_into=10)
    values = {"email": "ada@shop.example", "embeddedData.plan": "gold"}
    await waiting(store, rules[1:], values, 10, 11)
    await waiting(store, rules[:1], {"extRef": "x"}, 10, 12)
    await waiting(store, [["embeddedData.plan"]], values, 10, 12)
    key = lookup_keys(rules[:1], {"extRef": "x"})[0]
    await store.pool.execute("INSERT INTO waiting_keys (dir, key, contact) VALUES (1, $1, 13)", key)
    await store.contact(14, ext_ref="gone", day=1)
    await store.contact(16, ext_ref="former", day=3)
    await waiting(store, rules[:1], {"extRef": "former"}, 14, 16)
    await store.contact(15, ext_ref="kept", day=2)
    await waiting(store, rules[:1], {"extRef": "kept"}, 15, 14)
    both = [Directory("POOL_a", "A", rules), Directory("POOL_b", "B", rules)]
    by_email = DuplicatePair("POOL_a", ("email", "embeddedData.plan"), 11, 10)
    by_reference = DuplicatePair("POOL_a", ("extRef",), 10, 12)
    assert await store.merges.duplicates(both, 10) == [by_email, by_reference]
    assert await store.merges.duplicates(both, 1) == [by_email]
    assert await store.merges.duplicates([Directory("POOL_a", "A", (("extRef",),))], 10) == [by_reference]
    assert await store.merges.duplicates(both[1:], 10) == []


async def test_merges(store: Store) -> None:
    """Those that stand, the latest first."""
    await store.pool.executemany(
        "INSERT INTO merges (dir, winner, loser, keys, snapshot, by, merged_at, undone_at)"
        " VALUES (1, $1, $2, '{}', '{}', 'me', $3, $4)",
        [(4, 5, BORN, None), (4, 3, BORN, BORN), (4, 2, BORN + timedelta(days=1), None), (1, 9, BORN, None)],
    )
    assert await store.merges.merged_into(4) == [
        MergeRow(4, 2, "me", BORN + timedelta(days=1)),
        MergeRow(4, 5, "me", BORN),
    ]
    assert await store.merges.merged_into(5) == []
