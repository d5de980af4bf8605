"""People through the whole of a running system: an anonymous one gets a name, one is forgotten and stays away."""

from typing import Any

import pytest

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions

pytestmark = [pytest.mark.e2e, pytest.mark.integration]


async def stitching(system: Any) -> None:
    """The same document, with `stitch`; the services take it within two seconds."""
    pool = await open_pool(system.settings)
    latest = await PostgresRevisions(pool).latest()
    assert latest is not None
    document = latest.document.replace("merge_rules:", "stitch: true, merge_rules:")
    number = (await PostgresRevisions(pool).add(document, "tests")).number
    await pool.close()

    async def taken() -> bool:
        rows = await system.db.fetch("SELECT revision FROM processes")
        return all(row["revision"] == number for row in rows)

    await system.until(taken, 10, "the revision is taken")


async def send(system: Any, *items: dict[str, Any]) -> None:
    async with system.http.post("/v1/batch", json={"writeKey": system.write_key, "batch": items}) as response:
        assert response.status == 200
    await system.all_read()


def buy(name: str, **who: str) -> dict[str, Any]:
    return {"type": "track", "event": "Transaction Created", "messageId": name, "properties": {"name": name}, **who}


async def people(system: Any) -> dict[str, list[str]]:
    """extRef to the names of the transactions."""
    root = f"/API/v3/directories/{system.directory}/contacts"
    found = {}
    for contact in (await system.ask(root))["elements"]:
        bought = (await system.ask(f"{root}/{contact['id']}/transactions"))["elements"]
        found[contact["externalDataReference"]] = sorted(row["data"]["name"] for row in bought)
    return found


async def test_an_anonymous_visitor_becomes_a_person(system: Any) -> None:
    """What was bought before, and what arrives late, is the person's; an alias does the same for an old name."""
    await stitching(system)
    await send(system, buy("before", anonymousId="anon-1"), buy("other", anonymousId="anon-2"))
    assert await people(system) == {"anon-1": ["before"], "anon-2": ["other"]}
    await send(
        system, {"type": "identify", "userId": "ada", "anonymousId": "anon-1", "traits": {"email": "ada@x.example"}}
    )
    await send(system, buy("late", anonymousId="anon-1"), buy("known", userId="ada"))
    assert await people(system) == {"ada": ["before", "known", "late"], "anon-2": ["other"]}
    await send(system, {"type": "alias", "userId": "lovelace", "previousId": "ada"})
    await send(system, buy("old name", userId="ada"), buy("new name", userId="lovelace"))
    assert await people(system) == {
        "lovelace": ["before", "known", "late", "new name", "old name"],
        "anon-2": ["other"],
    }
    assert (await system.isthmus("ledger"))["unaccounted"] == {"directory": 0, "rejects": 0}


async def test_a_delete_event_forgets_a_person(system: Any) -> None:
    """Contact, transactions and dead letters are gone, and what comes later is counted as suppressed.

    Looked for is what no hash in hexadecimal can hold.
    """
    await send(
        system,
        {"type": "identify", "userId": "ada-lovelace", "traits": {"email": "ada@x.example"}},
        buy("a", userId="ada-lovelace"),
        buy("b", userId="bob"),
        {"type": "nonsense", "userId": "ada-lovelace", "traits": {"email": "ada@x.example"}},
    )
    assert await people(system) == {"ada-lovelace": ["a"], "bob": ["b"]}
    await send(system, {"type": "delete", "userId": "ada-lovelace"})
    await send(system, buy("c", userId="ada-lovelace"), {"type": "identify", "userId": "ada-lovelace"})
    assert await people(system) == {"bob": ["b"]}
    for table in ("contacts", "transactions", "dead_letters", "merges", "list_members", "suppressions", "erasures"):
        left = await system.db.fetchval(f"SELECT count(*) FROM {table} t WHERE t::text ~* 'lovelace|@x.example'")
        assert left == 0, table
    raw = await system.db.fetchval("SELECT count(*) FROM dead_letters WHERE position('lovelace'::bytea IN value) > 0")
    assert raw == 0
    ledger = await system.isthmus("ledger")
    (row,) = [row for row in ledger["records"] if row["service"] == "directory"]
    assert (row["applied"], row["filtered"]["suppressed"]) == (4, 2)
    assert ledger["unaccounted"] == {"directory": 0, "rejects": 0}
