"""The read side on a real PostgreSQL: what the services write is what the API and the commands show."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from processor.adapters.postgres.lists import PostgresLists
from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.reading import PostgresQueries, _term
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.api.v3 import build_routes
from processor.domain.directory.ids import contact_cid, transaction_ctr, transaction_range
from processor.domain.directory.matching import ref_key
from processor.domain.rules import Directory, Rules
from processor.errors import RejectedError, UnavailableError
from processor.ports.queries import DateCriterion, ListCriterion, TextCriterion
from processor.ports.revisions import ApiToken, Compiled
from processor.settings import Settings

pytestmark = pytest.mark.integration

BORN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
WHY = {
    "by": {"rule": "extRef", "message": "m1", "mapping": "crm/contact"},
    "w": [[1, 1_769_860_800_000, "m1", "crm/contact"], [0, -1_769_860_800_000, "m0", "crm/transaction"]],
    "f": {"email": 0, "embeddedData.plan": 0, "language": 1},
}


def ext_ref_key(text: str) -> bytes:
    return ref_key({"extRef": text}) or b""


@dataclass
class Store:
    pool: Any
    queries: PostgresQueries


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """Two directories; in the first contacts 1 to 7, of which 6 was merged into 5 and 5 into 4."""
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    await pool.execute("INSERT INTO directories (id, name) VALUES ('POOL_a', 'A'), ('POOL_b', 'B'), ('POOL_c', 'C')")
    await pool.executemany(
        "INSERT INTO contacts (id, dir, ext_ref, email, phone, first_name, language, unsubscribed, embedded, why,"
        " created_at, modified_at, merged_into) VALUES ($1, $2, $3, $4, $5, 'Ada', 'de', $6, $7, $8, $9, $9, $10)",
        [
            (
                n,
                2 if n == 9 else 1,
                f" User{n} ",
                None if n == 3 else f"Ada{n % 2}@Shop.example",
                "+41 1",
                n == 2 or None,
                {"plan": "gold"},
                WHY,
                BORN + timedelta(days=n),
                {6: 5, 5: 4}.get(n),
            )
            for n in (1, 2, 3, 4, 5, 6, 7, 9)
        ],
    )
    owners = {1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 4, 7: 7, 9: 9}
    await pool.executemany(
        "INSERT INTO match_keys (dir, key, contact) VALUES ($1, $2, $3)",
        [(2 if n == 9 else 1, ext_ref_key(f"user{n}"), owner) for n, owner in owners.items()],
    )
    await pool.executemany(
        "INSERT INTO transactions (key, dir, contact, date, data, mailing_list, source, mapping, message_id, revision)"
        " VALUES ($1, 1, $2, $3, $4, 'CG_all', 'web', 'crm/transaction', $5, 3)",
        [(bytes([n] * 16), 4, BORN + timedelta(seconds=n // 2), {"total": str(n)}, f"t{n}") for n in range(1, 6)],
    )
    yield Store(pool, PostgresQueries(pool))
    await pool.close()


async def test_directories_are_counted(store: Store) -> None:
    """Without those that were merged away, and with the one that is empty."""
    assert [(d.id, d.contacts) for d in await store.queries.directories()] == [
        ("POOL_a", 5),
        ("POOL_b", 1),
        ("POOL_c", 0),
    ]


async def test_a_contact_and_its_writers(store: Store) -> None:
    """The whole row, with the event that wrote each field."""
    row = await store.queries.contact(1, "POOL_a")
    assert row is not None
    assert (row.directory, row.email, row.embedded) == ("POOL_a", "Ada1@Shop.example", {"plan": "gold"})
    assert row.made_by["rule"] == "extRef"
    assert (row.writers["email"].rank, row.writers["email"].message, row.writers["email"].at) == (1, "m1", BORN)
    assert (row.writers["language"].rank, row.writers["language"].at) == (0, BORN)


async def test_whose_contact_it_is(store: Store) -> None:
    """A loser answers as the last winner; another directory's contact is not there."""
    row = await store.queries.contact(6, "POOL_a")
    assert row is not None
    assert row.id == 4
    assert await store.queries.contact(9, "POOL_a") is None
    assert await store.queries.contact(8) is None
    anywhere = await store.queries.contact(9)
    assert anywhere is not None
    assert anywhere.directory == "POOL_b"


async def test_contacts_in_pages(store: Store) -> None:
    """By number, of one directory, without the merged ones."""
    assert [r.id for r in await store.queries.contacts("POOL_a", -1, 3)] == [1, 2, 3]
    assert [r.id for r in await store.queries.contacts("POOL_a", 3, 3)] == [4, 7]
    assert await store.queries.contacts("POOL_nobody", -1, 3) == []


@pytest.mark.parametrize(
    ("directory", "criteria", "found"),
    [
        ("POOL_a", [TextCriterion("email", "eq", " ada1@SHOP.example ")], [1, 7]),
        (None, [TextCriterion("email", "eq", "ada1@shop.example")], [1, 7, 9]),
        ("POOL_a", [TextCriterion("email", "neq", "ada1@shop.example")], [2, 3, 4]),
        ("POOL_a", [TextCriterion("extRef", "eq", "user7")], [7]),
        ("POOL_a", [TextCriterion("extRef", "eq", " USER7 "), TextCriterion("language", "eq", "fr")], []),
        ("POOL_a", [TextCriterion("extRef", "eq", "user9")], []),
        ("POOL_a", [TextCriterion("extRef", "eq", "user6")], []),
        (None, [TextCriterion("extRef", "eq", "user9")], [9]),
        ("POOL_a", [TextCriterion("extRef", "neq", "user7")], [1, 2, 3, 4]),
        ("POOL_a", [TextCriterion("phone", "eq", "+41 1"), TextCriterion("lastName", "neq", "x")], [1, 2, 3, 4, 7]),
        ("POOL_a", [DateCriterion("created", "gt", BORN + timedelta(days=4))], [7]),
        ("POOL_a", [DateCriterion("lastModified", "lte", BORN + timedelta(days=2))], [1, 2]),
        ("POOL_a", [TextCriterion("firstName", "eq", "ADA"), TextCriterion("language", "neq", "DE")], []),
    ],
)
async def test_search(store: Store, directory: str | None, criteria: list[Any], found: list[int]) -> None:
    """Text trimmed and without regard to case, dates by comparison, all criteria together."""
    assert [r.id for r in await store.queries.search(directory, criteria, -1, 100)] == found


async def test_two_with_the_same_reference(store: Store) -> None:
    """The one that is found by it, and the one that waits for the key."""
    await store.pool.execute("UPDATE contacts SET ext_ref = 'USER1' WHERE id = 3")
    await store.pool.execute("INSERT INTO waiting_keys VALUES (1, $1, 3)", ext_ref_key("user1"))
    found = await store.queries.search("POOL_a", [TextCriterion("extRef", "eq", "user1")], -1, 100)
    assert [r.id for r in found] == [1, 3]


async def test_members_of_a_list(store: Store) -> None:
    """Those of that list in that directory, or everybody else, without those that were merged away."""
    await store.pool.executemany(
        "INSERT INTO list_members (contact, dir, list) VALUES ($1, $2, $3)",
        [(1, 1, "CG_all"), (4, 1, "CG_all"), (6, 1, "CG_all"), (2, 1, "CG_vip"), (9, 2, "CG_all")],
    )
    for comparison, expected in (("eq", [1, 4]), ("neq", [2, 3, 7])):
        found = await store.queries.search("POOL_a", [ListCriterion(comparison, "CG_all")], -1, 100)
        assert [r.id for r in found] == expected


async def test_one_transaction(store: Store) -> None:
    """By the range that a public id stands for, of that contact alone."""
    keys = transaction_range(transaction_ctr(bytes([3] * 16)))
    assert keys is not None
    row = await store.queries.transaction(4, keys)
    assert row is not None
    assert (row.message, row.key) == ("t3", bytes([3] * 16))
    assert await store.queries.transaction(1, keys) is None


async def test_search_goes_on(store: Store) -> None:
    """After the last number seen, over all directories in one order."""
    criteria = [TextCriterion("firstName", "eq", "Ada")]
    assert [r.id for r in await store.queries.search(None, criteria, 3, 2)] == [4, 7]
    assert [r.id for r in await store.queries.search(None, criteria, 7, 2)] == [9]


async def test_a_text_that_no_column_holds(store: Store) -> None:
    """It is the caller's fault, not ours."""
    with pytest.raises(RejectedError) as raised:
        await store.queries.search("POOL_a", [TextCriterion("email", "eq", "a\x00b")], -1, 1)
    assert raised.value.code == "refused_by_database"


async def test_transactions_in_pages(store: Store) -> None:
    """Oldest first, equal dates by key, each once."""
    first = await store.queries.transactions(4, None, 3)
    rest = await store.queries.transactions(4, (first[-1].date, first[-1].key), 3)
    assert [t.message for t in (*first, *rest)] == ["t1", "t2", "t3", "t4", "t5"]
    assert await store.queries.transactions(1, None, 3) == []


async def test_hot_queries_walk_their_indexes(store: Store) -> None:
    """Pages and the search by e-mail do not read a whole directory."""
    await store.pool.execute(
        "INSERT INTO contacts (id, dir, email, why) SELECT n, n % 3 + 1, 'p' || n || '@shop.example', '{}'"
        " FROM generate_series(1000, 31000) n"
    )
    await store.pool.execute(
        "INSERT INTO transactions SELECT decode(md5(n::text), 'hex'), 1, n % 5000, now(), '{}', NULL,"
        " '', '', n::text, 1 FROM generate_series(1, 20000) n"
    )
    await store.pool.execute(
        "INSERT INTO match_keys (dir, key, contact) SELECT n % 3 + 1, decode(md5(n::text), 'hex'), n"
        " FROM generate_series(1000, 31000) n"
    )
    await store.pool.execute(
        "INSERT INTO list_members (contact, dir, list) SELECT n, n % 3 + 1, 'CG_' || n % 7"
        " FROM generate_series(1000, 31000) n"
    )
    await store.pool.execute("ANALYZE")
    sql = store.queries._sql
    search = sql["search"].replace("{criteria}", "AND lower(btrim(c.email)) = lower($4::text)")
    by_key, needles = _term(TextCriterion("extRef", "eq", "user7"), 4)
    by_reference = sql["search"].replace("{criteria}", f"AND {by_key}")
    member, _ = _term(ListCriterion("eq", "CG_3"), 4)
    by_list = sql["search"].replace("{criteria}", f"AND {member}")
    cases = [
        (by_reference, ("POOL_a", -1, 100, *needles), "match_keys_pkey"),
        (by_reference, (None, -1, 100, *needles), "match_keys_pkey"),
        (by_list, ("POOL_a", -1, 100, "CG_3"), "list_members_"),
        (sql["transaction"], (7, bytes(16), bytes(16)), "transactions_pkey"),
        (sql["contacts"], ("POOL_a", 5000, 100), "contacts_by_dir"),
        (search, ("POOL_a", -1, 100, "p1@shop.example"), "contacts_by_email"),
        (search, (None, -1, 100, "p1@shop.example"), "contacts_by_email"),
        (sql["transactions_first"], (7, 100), "transactions_by_contact"),
        (sql["transactions_after"], (7, 100, BORN, bytes(16)), "transactions_by_contact"),
        (sql["contact"], (5, None), "contacts_pkey"),
    ]
    for statement, values, index in cases:
        plan = "\n".join(row[0] for row in await store.pool.fetch(f"EXPLAIN {statement}", *values))
        assert index in plan, plan
        assert "Seq Scan on contacts" not in plan, plan


async def test_over_http(store: Store) -> None:
    """The routes on the real queries, one contact from list to transaction."""
    directory = Directory("POOL_a", "A")
    token = ApiToken("reader", ("secret",), frozenset({"directory:read"}))
    compiled = Compiled(1, Rules(1, {}, {}, ()), (), (token,), {"POOL_a": directory})
    app = web.Application()
    revision = SimpleNamespace(current=compiled)
    writer, lists = PostgresDirectoryWriter(store.pool), PostgresLists(store.pool)
    app.add_routes(build_routes(store.queries, revision, "https://isthmus.example/", writer=writer, lists=lists))
    headers = {"X-API-TOKEN": "secret"}
    root = "/API/v3/directories/POOL_a/contacts"
    async with TestClient(TestServer(app), headers=headers) as client:

        async def get(path: str) -> Any:
            async with client.get(path) as answer:
                return (await answer.json())["result"]

        page = await get(f"{root}?pageSize=2")
        assert page["nextPage"] == f"https://isthmus.example{root}?pageSize=2&skipToken={contact_cid(2)}"
        found = await get(f"{root}/{contact_cid(5)}")
        assert found["id"] == contact_cid(4)
        page = await get(f"{root}/{contact_cid(5)}/transactions?pageSize=1")
        assert page["elements"][0]["transactionId"] == transaction_ctr(bytes([1] * 16))
        body = {"filter": {"filterType": "email", "comparison": "eq", "value": "a\x00"}}
        async with client.post(f"{root}/search", data=json.dumps(body)) as answer:
            assert answer.status == 400
            assert (await answer.json())["meta"]["error"]["errorCode"] == "bad_text"


async def test_a_database_that_is_away(store: Store) -> None:
    """Waiting is right, so the error is of that branch."""
    await store.pool.close()
    for call in (store.queries.ledger, store.queries.directories):
        with pytest.raises(UnavailableError):
            await call()


async def test_commands_find_the_database(database: str, store: Store) -> None:
    """The connection of a command is closed again: the database can be dropped."""
    from processor.cli.context import database as opened

    async with opened(Settings(postgres=SecretStr(database))) as pool:
        assert [d.id for d in await PostgresQueries(pool).directories()] == ["POOL_a", "POOL_b", "POOL_c"]
    connection = await asyncpg.connect(database)
    await connection.close()
