"""Segment's own Python SDK sends people while four processes write the same people through the API."""

import asyncio
import multiprocessing
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from segment.analytics.client import Client
from support.api_caller import Caller, Written, write_people

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

PEOPLE, CALLERS, TURNS = 100, 4, 3
SPAWNED_S = 1.5
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def document(document: str) -> str:
    """The usual one with three merge rules, and a token that may write."""
    return document.replace("[[extRef]]", "[[extRef], [email], [phone, lastName]]").replace(
        '["directory:read"]', '["directory:read", "directory:write"]'
    )


def send(url: str, key: str) -> list[Exception]:
    """Identifies and transactions of everybody, in any order, each of them sent a second time at the end."""
    time.sleep(SPAWNED_S)
    errors: list[Exception] = []
    client = Client(key, host=url, on_error=lambda error, _items: errors.append(error), upload_interval=0.1)
    calls = [(kind, number) for kind in ("identify", "track") for number in range(PEOPLE * TURNS)]
    Random(7).shuffle(calls)
    for kind, number in calls + calls:
        person = number % PEOPLE
        email = {"email": f"Person{person}@example.com"}
        common = {
            "user_id": f"User-{person}",
            "timestamp": START + timedelta(minutes=number),
            "message_id": f"{kind}-{number}",
        }
        if kind == "identify":
            client.identify(traits={**email, "extra": {"turn": number // PEOPLE}}, **common)
        else:
            properties = {"order": f"sdk-{number}"}
            client.track(event="Transaction Created", properties=properties, context={"traits": email}, **common)
    client.shutdown()
    return errors


async def test_no_twins_and_every_transaction_once(system: Any) -> None:
    """All begin with an empty directory, so each person is made by whoever comes first and found by all others."""
    begins = time.time() + SPAWNED_S
    callers = [Caller(system.url, system.token, system.directory, number, PEOPLE, begins) for number in range(CALLERS)]
    spawning = multiprocessing.get_context("spawn")  # no threads of ours are copied
    with ProcessPoolExecutor(CALLERS, mp_context=spawning) as processes:
        writing = [asyncio.wrap_future(processes.submit(write_people, caller)) for caller in callers]
        errors, *written = await asyncio.gather(asyncio.to_thread(send, system.url, system.write_key), *writing)
    assert errors == []
    await system.all_read()
    rows = await system.db.fetch("SELECT id, ext_ref, email, embedded FROM contacts")
    assert Counter((row["ext_ref"] or "").strip().lower() for row in rows) == {f"user-{n}": 1 for n in range(PEOPLE)}
    await check_transactions(system, {row["id"]: row["ext_ref"].lower() for row in rows}, written)
    ledger = await system.isthmus("ledger")
    assert set(ledger["unaccounted"].values()) == {0}
    (events,) = [row for row in ledger["records"] if row["source"] == "web"]
    assert events["applied"] == 4 * PEOPLE * TURNS


async def check_transactions(system: Any, people: dict[int, str], written: list[Written]) -> None:
    """Each once, with its person; a call that was sent again got the first id."""
    rows = await system.db.fetch("SELECT contact, data->>'order' AS name FROM transactions")
    found = {row["name"]: people[row["contact"]] for row in rows}
    assert len(found) == len(rows)
    expected = {f"sdk-{number}": f"user-{number % PEOPLE}" for number in range(PEOPLE * TURNS)}
    for caller in written:
        assert all(len(ids) == 1 for ids in (*caller.contacts.values(), *caller.transactions.values()))
        expected |= {name: f"user-{name.split('-')[1]}" for name in caller.transactions}
    assert found == expected
    one = {person: ids for caller in written for person, ids in caller.contacts.items()}
    assert all(caller.contacts == one for caller in written)
