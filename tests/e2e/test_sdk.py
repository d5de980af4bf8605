"""Segment's own Python SDK against a running Isthmus: every call arrives, once, with the right fields."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from segment.analytics.client import Client

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

PEOPLE, CALLS = 200, 1_000
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def identify(number: int) -> dict[str, Any]:
    """Five of each person; what only an early one says stays, else the latest stands."""
    person, turn = number % PEOPLE, number // PEOPLE
    traits: dict[str, Any] = {
        "email": f"person{person}@example.com",
        "firstName": f"First {turn} Ü",
        "extra": {
            "plan": f"plan-{turn}",
            "score": number,
            "rate": turn / 4,
            "tags": ["a", {"turn": turn}],
            "vip": True,
        },
    }
    if turn == 1:
        traits |= {"phone": f"+49 30 {person}", "lastName": f"Last {person}"}
    if turn == 2 and person % 2:
        traits["language"] = "DE"
    return traits


def transaction(number: int) -> dict[str, Any]:
    return {"orderId": f"o-{number}", "amount": number + 0.5, "items": [{"sku": f"s{number}"}], "gift": False}


def send(url: str, key: str, *, seed: int, gzip: bool) -> list[Exception]:
    """All 2,000 calls in an order of their own; returns the SDK's errors."""
    errors: list[Exception] = []
    client = Client(key, host=url, gzip=gzip, on_error=lambda error, _items: errors.append(error), upload_interval=0.1)
    calls = [("identify", number) for number in range(CALLS)] + [("track", number) for number in range(CALLS)]
    Random(seed).shuffle(calls)
    for kind, number in calls:
        common = {
            "user_id": f"user-{number % PEOPLE}",
            "timestamp": START + timedelta(minutes=number),
            "message_id": f"{kind}-{number}",
        }
        if kind == "identify":
            client.identify(traits=identify(number), **common)
        else:
            client.track(event="Transaction Created", properties=transaction(number), **common)
    client.shutdown()
    return errors


async def dump(system: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """Every column of every contact and transaction."""
    return (
        [tuple(row) for row in await system.db.fetch("SELECT c::text FROM contacts c ORDER BY ext_ref")],
        [tuple(row) for row in await system.db.fetch("SELECT t::text FROM transactions t ORDER BY key")],
    )


def expected_contact(person: int) -> Mapping[str, Any]:
    last = identify(4 * PEOPLE + person)
    return {
        "externalDataReference": f"user-{person}",
        "email": f"person{person}@example.com",
        "phoneNumber": f"+49 30 {person}",
        "firstName": last["firstName"],
        "lastName": f"Last {person}",
        "language": "DE" if person % 2 else "EN",
        "unsubscribed": False,
        "embeddedData": {
            "plan": "plan-4",
            "score": str(4 * PEOPLE + person),
            "rate": "1",
            "tags": '["a",{"turn":4}]',
            "vip": "true",
        },
    }


def expected_data(number: int) -> Mapping[str, str]:
    return {
        "orderId": f"o-{number}",
        "amount": f"{number}.5",
        "items": f'[{{"sku":"s{number}"}}]',
        "gift": "false",
    }


async def test_segments_own_sdk(system: Any) -> None:
    """1,000 identify and 1,000 track calls for 200 people, twice: 200 contacts, 1,000 transactions, nothing more."""
    assert await asyncio.to_thread(send, system.url, system.write_key, seed=1, gzip=False) == []
    await system.all_read()
    await check_api(system)
    await check_tables(system)
    before = await dump(system)

    assert await asyncio.to_thread(send, system.url, system.write_key, seed=2, gzip=True) == []
    await system.all_read()
    assert await dump(system) == before
    ledger = await system.isthmus("ledger", "--by", "mapping")
    assert set(ledger["unaccounted"].values()) == {0}
    (row,) = [row for row in ledger["records"] if row["service"] == "directory" and row["source"]]
    assert (row["source"], row["read"], row["applied"], row["dead"]) == ("web", 4 * CALLS, 4 * CALLS, 0)
    effects = {effect["mapping"]: effect for effect in ledger["effects"]}
    assert (effects["crm/transaction"]["changed"], effects["crm/transaction"]["repeated"]) == (CALLS, CALLS)
    assert effects["crm/contact"]["rejected"] == 0


async def check_api(system: Any) -> None:
    """Field by field over the read API, page by page, and by search."""
    root = f"/API/v3/directories/{system.directory}"
    pages = await system.pages(f"{root}/contacts?pageSize=60")
    assert [len(page) for page in pages] == [60, 60, 60, 20]
    contacts = {contact["externalDataReference"]: contact for page in pages for contact in page}
    assert len(contacts) == PEOPLE
    for person in range(PEOPLE):
        wanted, contact = expected_contact(person), contacts[f"user-{person}"]
        assert {name: contact[name] for name in wanted} == wanted
        await check_transactions(system, f"{root}/contacts/{contact['id']}/transactions?pageSize=2", person)
    for kind, value in (("email", "PERSON7@example.com "), ("extRef", "user-7")):
        criterion = {"filterType": kind, "comparison": "eq", "value": value}
        found = await system.ask(f"{root}/contacts/search", {"filter": criterion})
        assert [contact["id"] for contact in found["elements"]] == [contacts["user-7"]["id"]]
    both = [
        {"filterType": "language", "comparison": "eq", "value": "de"},
        {"filterType": "firstName", "comparison": "eq", "value": "First 4 Ü"},
    ]
    found = await system.pages(
        f"{root}/contacts/search?pageSize=40", {"filter": {"conjunction": "and", "filters": both}}
    )
    assert [len(page) for page in found] == [40, 40, 20]


async def check_transactions(system: Any, path: str, person: int) -> None:
    pages = await system.pages(path)
    assert [len(page) for page in pages] == [2, 2, 1]
    found = {element["data"]["orderId"]: element for page in pages for element in page}
    assert len({element["transactionId"] for element in found.values()}) == CALLS // PEOPLE
    for number in range(person, CALLS, PEOPLE):
        assert found[f"o-{number}"]["data"] == expected_data(number)
        assert_moment(datetime.fromisoformat(found[f"o-{number}"]["transactionDate"]).replace(tzinfo=UTC), number)


async def check_tables(system: Any) -> None:
    """The same, as the tables have it; each transaction belongs to its person's contact."""
    assert await system.db.fetchval("SELECT count(*) FROM contacts") == PEOPLE
    rows = await system.db.fetch(
        "SELECT t.message_id, t.source, t.mapping, t.date, t.data, c.ext_ref"
        " FROM transactions t JOIN contacts c ON c.id = t.contact"
    )
    assert len(rows) == CALLS
    found = {row["message_id"]: row for row in rows}
    for number in range(CALLS):
        row = found[f"track-{number}"]
        assert (row["source"], row["mapping"]) == ("web", "crm/transaction")
        assert row["ext_ref"] == f"user-{number % PEOPLE}"
        assert orjson.loads(row["data"]) == expected_data(number)
        assert_moment(row["date"], number)


def assert_moment(found: datetime, number: int) -> None:
    """Segment corrects the client's clock by receivedAt − sentAt, so the date is late by the way here."""
    late = found - (START + timedelta(minutes=number))
    assert timedelta(seconds=-0.01) <= late < timedelta(seconds=10)
