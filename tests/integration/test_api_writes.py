"""Writing over the API on a real PostgreSQL: found by the merge rules, once by key, whoever else writes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.api_server import ApiServer, serving

pytestmark = pytest.mark.integration

CONTACTS = "/directories/POOL_a/contacts"
TRANSACTIONS = "/directories/POOL_a/transactions"
ADA = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@shop.example",
    "phone": "+41 44 000 00 00",
    "extRef": "ada",
    "language": "de",
    "unsubscribed": True,
    "embeddedData": {"plan": "gold", "tags": ["a", {"b": 1}]},
}


@pytest.fixture
async def api(database: str) -> AsyncIterator[ApiServer]:
    async with serving(database) as running:
        yield running


async def test_a_contact_from_end_to_end(api: ApiServer) -> None:
    """Made, found by each rule, read, searched, updated, cleared, deleted, and made anew with another id."""
    cid = (await api.result("POST", CONTACTS, ADA))["id"]
    for fields in (
        {"extRef": "ADA "},
        {"email": "Ada@Shop.example"},
        {"phone": "+41 44 000 00 00", "lastName": "LOVELACE"},
    ):
        assert (await api.result("POST", CONTACTS, fields))["id"] == cid
    found = await api.result("GET", f"{CONTACTS}/{cid}")
    assert {**found, "embeddedData": ADA["embeddedData"], "lastName": "Lovelace"}.items() >= {
        **ADA, "phone": "+41 44 000 00 00", "extRef": found["extRef"], "email": found["email"]
    }.items()  # fmt: skip
    assert found["embeddedData"] == {"plan": "gold", "tags": '["a",{"b":1}]'}
    filter_ = {"filter": {"filterType": "extRef", "comparison": "eq", "value": "Ada"}}
    (element,) = (await api.result("POST", f"{CONTACTS}/search", filter_))["elements"]
    assert element["id"] == cid
    change = {"extRef": "countess", "email": None, "embeddedData": {"plan": None}}
    assert (await api.result("PUT", f"{CONTACTS}/{cid}", change))["id"] == cid
    found = await api.result("GET", f"{CONTACTS}/{cid}")
    assert (found["extRef"], found["email"], list(found["embeddedData"])) == ("countess", None, ["tags"])
    assert (await api.result("POST", f"{CONTACTS}/search", filter_))["elements"] == []
    assert (await api.result("POST", CONTACTS, {"extRef": "COUNTESS"}))["id"] == cid
    assert (await api.call("DELETE", f"{CONTACTS}/{cid}"))[0] == 200
    for method in ("GET", "PUT", "DELETE"):
        status, answer = await api.call(method, f"{CONTACTS}/{cid}", {})
        assert (status, answer["meta"]["error"]["errorCode"]) == (404, "unknown_contact")
    assert (await api.result("POST", CONTACTS, {"extRef": "countess"}))["id"] != cid


async def test_nobody_can_be_found(api: ApiServer) -> None:
    """No rule is complete: each call makes a contact, a repeated one with a key makes none."""
    plain = [(await api.result("POST", CONTACTS, {"firstName": "Ada"}))["id"] for _ in range(2)]
    keyed = [(await api.result("POST", CONTACTS, {"firstName": "Ada"}, Idempotency_Key="k"))["id"] for _ in range(2)]
    assert len({*plain, *keyed}) == 3
    page = await api.result("GET", CONTACTS)
    assert {each["id"] for each in page["elements"]} == {*plain, *keyed}


async def test_many_at_once(api: ApiServer) -> None:
    """Twenty calls about one person, ten of them with one key: one contact, and no call fails."""
    calls = [api.result("POST", CONTACTS, {"extRef": "ada", "firstName": f"Ada{n}"}) for n in range(10)]
    repeats = [
        api.result("POST", CONTACTS, {"extRef": "ada", "language": "de"}, Idempotency_Key="k") for _ in range(10)
    ]
    made = {each["id"] for each in await asyncio.gather(*calls, *repeats)}
    assert len(made) == 1
    assert len((await api.result("GET", CONTACTS))["elements"]) == 1


async def test_a_key_is_of_its_address(api: ApiServer) -> None:
    """The same key in another directory, or for an update, is another call."""
    first = (await api.result("POST", CONTACTS, {"extRef": "ada"}, Idempotency_Key="k"))["id"]
    other = (await api.result("POST", "/directories/POOL_b/contacts", {"extRef": "ada"}, Idempotency_Key="k"))["id"]
    assert other != first
    for name in ("Ada", "Eve"):
        await api.result("PUT", f"{CONTACTS}/{first}", {"firstName": name}, Idempotency_Key="k")
    assert (await api.result("GET", f"{CONTACTS}/{first}"))["firstName"] == "Ada"


async def test_transactions_from_end_to_end(api: ApiServer) -> None:
    """Half of a call succeeds; a repeat adds nothing; one is read, changed and deleted, and its key stays used."""
    cid = (await api.result("POST", CONTACTS, ADA))["id"]
    rows = {
        "good": {"contactId": cid, "transactionDate": "2026-01-31 12:00:00", "data": {"total": 9.5, "items": [1]}},
        "list": {"contactId": cid, "mailingListId": "CG_vip", "transactionDate": "2026-01-31T12:00:01+00:00"},
        "nobody": {"contactId": "CID_000000000000001"},
        "no list": {"contactId": cid, "mailingListId": "CG_nobody"},
    }
    first = await api.result("POST", TRANSACTIONS, rows, Idempotency_Key="k")
    assert {key: each["error"] for key, each in first["unprocessedTransactions"].items()} == {
        "nobody": "unknown_contact",
        "no list": "unknown_mailing_list",
    }
    made = first["createdTransactions"]
    assert await api.result("POST", TRANSACTIONS, rows, Idempotency_Key="k") == first
    path = f"{CONTACTS}/{cid}/transactions"
    good, listed = (await api.result("GET", path))["elements"]
    assert good == {
        "transactionId": made["good"]["id"],
        "contactId": cid,
        "mailingListId": "CG_all",
        "transactionDate": "2026-01-31 12:00:00",
        "data": {"total": "9.5", "items": "[1]"},
    }
    assert (listed["transactionId"], listed["mailingListId"]) == (made["list"]["id"], "CG_vip")
    one = f"{path}/{made['good']['id']}"
    await api.result("PUT", one, {**good, "data": {"total": 10}})
    assert await api.result("GET", one) == {**good, "data": {"total": "10"}}
    await api.result("PUT", one, {"transactionDate": "2027-01-01T00:00:00+01:00"})
    assert (await api.result("GET", one))["transactionDate"] == "2026-12-31 23:00:00"
    assert (await api.call("DELETE", one))[0] == 200
    assert (await api.call("DELETE", one))[0] == 404
    await api.result("POST", TRANSACTIONS, rows, Idempotency_Key="k")
    assert [each["transactionId"] for each in (await api.result("GET", path))["elements"]] == [made["list"]["id"]]
    members = {"filter": {"filterType": "inList", "comparison": "eq", "value": "CG_vip"}}
    assert [each["id"] for each in (await api.result("POST", f"{CONTACTS}/search", members))["elements"]] == [cid]


async def test_a_merged_contacts_transactions(api: ApiServer) -> None:
    """Asked for by the loser's id they are the winner's, and can be changed and deleted there."""
    writer, loser = [(await api.result("POST", CONTACTS, {"extRef": each}))["id"] for each in ("ada", "eve")]
    rows = {"a": {"contactId": loser}, "b": {"contactId": loser}}
    made = (await api.result("POST", TRANSACTIONS, rows))["createdTransactions"]
    await api.merge(writer, loser)
    assert (await api.result("PUT", f"{CONTACTS}/{loser}", {"firstName": "Ada"}))["id"] == writer
    for contact in (writer, loser):
        path = f"{CONTACTS}/{contact}/transactions/{made['a']['id']}"
        assert (await api.result("GET", path))["contactId"] == writer
        await api.result("PUT", path, {"data": {"n": 1}})
    assert (await api.call("DELETE", f"{CONTACTS}/{loser}/transactions/{made['b']['id']}"))[0] == 200
    added = await api.result("POST", TRANSACTIONS, {"c": {"contactId": loser}})
    assert list(added["createdTransactions"]) == ["c"]
    assert len((await api.result("GET", f"{CONTACTS}/{writer}/transactions"))["elements"]) == 2


async def test_a_person_who_asked_to_be_forgotten(api: ApiServer) -> None:
    """409 until it is lifted, for whatever would name the person again, and for a transaction of the id that was."""
    cid = (await api.result("POST", CONTACTS, ADA))["id"]
    await api.writer.suppress("ada", "tests")
    for fields in ({"extRef": "ada"}, {"extRef": "Ada", "email": "new@shop.example"}):
        status, answer = await api.call("POST", CONTACTS, fields)
        assert (status, answer["meta"]["error"]["errorCode"]) == (409, "suppressed")
    refused = (await api.result("POST", TRANSACTIONS, {"a": {"contactId": cid}}))["unprocessedTransactions"]
    assert refused["a"]["error"] == "unknown_contact"
    await api.writer.unsuppress("ada")
    assert (await api.result("POST", CONTACTS, {"extRef": "ada"}))["id"] != cid
