"""Segment's published Qualtrics destination as a client of our API: what it writes is what the API then shows."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.lacking import lacking
from support.running import Isthmus, until
from support.segment_packages import lacking_node, segment_destinations

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]  # the first time npm has to fetch

DRIVER = Path(__file__).resolve().parent / "segment_qualtrics.mjs"
TOKEN, READER = "token_of_segment_4711", "token_that_reads_4711"
DIRECTORY, LIST = "POOL_people", "CG_all"
DOCUMENT = f"""
version: 1
api_tokens:
  - {{name: segment, token: {TOKEN}, scopes: ["directory:read", "directory:write"]}}
  - {{name: reader, token: {READER}, scopes: ["directory:read"]}}
directories:
  - {{id: {DIRECTORY}, name: People, merge_rules: [[email]], mailing_lists: [{{id: {LIST}, name: Everybody}}]}}
  - {{id: POOL_other, name: Others}}
sources: []
connections: []
"""
ROOT = f"/API/v3/directories/{DIRECTORY}"


class Segment:
    """The destination, set up with a token of ours; ``ask`` reads our API back."""

    def __init__(self, url: str, folder: Path, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._folder = folder
        self._http = http

    async def run(self, *steps: dict[str, Any]) -> Sequence[Any]:
        """The answer of each step, see segment_qualtrics.mjs."""
        settings = {"apiToken": TOKEN, "datacenter": "iad1"}
        given = json.dumps({"url": self._url, "settings": settings, "steps": steps})
        node = await asyncio.create_subprocess_exec(
            "node", str(DRIVER), cwd=self._folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(node.communicate(given.encode()), 60)
        answers = [json.loads(line) for line in out.splitlines()]
        assert (node.returncode, len(answers)) == (0, len(steps))
        return answers

    async def ask(self, path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        async with self._http.request(method, ROOT + path, json=body, headers={"X-API-TOKEN": READER}) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return answer["result"]

    async def found(self, field: str, value: str) -> Sequence[Any]:
        filter_ = {"filter": {"filterType": field, "comparison": "eq", "value": value}}
        elements: Sequence[Any] = (await self.ask("/contacts/search", filter_))["elements"]
        return elements

    async def transactions(self, contact: str) -> Sequence[Any]:
        elements: Sequence[Any] = (await self.ask(f"/contacts/{contact}/transactions"))["elements"]
        return elements


@pytest.fixture
async def segment(database: str, tmp_path: Path) -> AsyncIterator[Segment]:
    """A process of our API on a database of its own; no broker is needed to ask and write the directory."""
    if missing := lacking_node():
        lacking(f"this machine lacks {missing}")
    packages = await asyncio.to_thread(segment_destinations)
    isthmus = Isthmus("127.0.0.1:1", database, tmp_path, group=False)
    await isthmus.apply(DOCUMENT)
    url = f"http://127.0.0.1:{isthmus.keep('api').now.port}"
    try:
        async with aiohttp.ClientSession(url) as http:

            async def answers() -> bool:
                try:
                    async with http.get("/API/v3/whoami", headers={"X-API-TOKEN": READER}) as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(answers, 30, "the API answers")
            yield Segment(url, packages, http)
    finally:
        await isthmus.close()


def identify(user: str, traits: dict[str, Any], **mapping: Any) -> dict[str, Any]:
    """An identify through addContactToXmd, its mapping Segment's own but for the directory."""
    event = {"type": "identify", "userId": user, "messageId": f"m-{user}", "traits": traits}
    return {"action": "addContactToXmd", "event": event, "mapping": {"directoryId": DIRECTORY, **mapping}}


def bought(user: str, properties: dict[str, Any], **mapping: Any) -> dict[str, Any]:
    """A track through upsertContactTransaction."""
    event = {
        "type": "track",
        "event": "Bought",
        "userId": user,
        "messageId": f"t-{user}",
        "timestamp": "2026-01-31T12:30:00.250Z",
        "properties": properties,
    }
    ours = {"directoryId": DIRECTORY, "mailingListId": LIST, "transactionData": {"@path": "$.properties"}}
    return {"action": "upsertContactTransaction", "event": event, "mapping": {**ours, **mapping}}


def succeeded(answer: dict[str, Any]) -> dict[str, Any]:
    """What the destination's action returned: the result of its last call."""
    assert "ok" in answer, answer
    data: dict[str, Any] = answer["ok"][-1]["data"]
    return data


async def test_setting_it_up(segment: Segment) -> None:
    """Its test of the credentials passes and fails as it should, and its list of directories is ours."""
    wrong = {"settings": {"apiToken": "nobody's"}}
    good, bad, listed, refused = await segment.run(
        {"authenticate": True},
        {"authenticate": True, **wrong},
        {"choices": "directoryId", "of": "addContactToXmd"},
        {"choices": "directoryId", "of": "upsertContactTransaction", **wrong},
    )
    assert good == {"ok": True, "called": ["/API/v3/whoami"]}
    assert bad["error"]["message"] == "Credentials are invalid: 401 Unauthorized"
    choices = [{"label": "People", "value": DIRECTORY}, {"label": "Others", "value": "POOL_other"}]
    assert listed == {"ok": {"choices": choices}, "called": ["/API/v3/directories/"]}
    message = "The header X-API-TOKEN is not one that the configuration names."
    assert refused["ok"] == {"choices": [], "error": {"message": message, "code": "401"}}


async def test_contacts(segment: Segment) -> None:
    """A contact is made, the next call of the same person updates it, and absent values erase nothing."""
    ada = {"email": "Ada@Shop.example", "phone": "+41 1", "firstName": "Ada", "lastName": "Lovelace", "plan": "gold"}
    extra = {"embeddedData": {"plan": {"@path": "$.traits.plan"}, "visits": 3, "vip": True}}
    made, again, other, nowhere = await segment.run(
        identify("ada", ada, **extra),
        identify("ada", {"email": " ada@shop.EXAMPLE", "firstName": "Augusta", "language": "DE"}),
        identify("bob", {"email": "bob@shop.example"}),
        identify("eve", {"email": "eve@shop.example"}, directoryId="POOL_nowhere"),
    )
    cid = succeeded(made)["id"]
    assert succeeded(again)["id"] == cid != succeeded(other)["id"]
    assert nowhere["error"]["body"]["meta"]["error"]["errorCode"] == "unknown_directory"
    [shown] = await segment.found("email", "ada@shop.example")
    assert shown["id"] == cid
    kept = ("externalDataReference", "phoneNumber", "firstName", "lastName", "language", "unsubscribed", "embeddedData")
    assert {name: shown[name] for name in kept} == {
        "externalDataReference": "ada",
        "phoneNumber": "+41 1",
        "firstName": "Augusta",
        "lastName": "Lovelace",
        "language": "DE",
        "unsubscribed": False,
        "embeddedData": {"plan": "gold", "visits": "3", "vip": "true"},
    }
    assert len((await segment.ask("/contacts"))["elements"]) == 2


async def test_transactions(segment: Segment) -> None:
    """By search, with a new contact, and by id; the person of a transaction never overwrites."""
    by_email = {"email": {"@path": "$.properties.email"}}
    made, found, new = await segment.run(
        identify("ada", {"email": "ada@shop.example", "firstName": "Ada"}),
        bought("ada", {"email": "ADA@shop.example", "total": 12.5, "gift": False}, **by_email, firstName="Impostor"),
        bought("cleo", {"total": "7"}, email="cleo@shop.example", firstName="Cleo"),
    )
    ada = succeeded(made)["id"]
    for answer in (found, new):
        created = succeeded(answer)
        assert created["unprocessedTransactions"] == {}
        assert len(created["createdTransactions"]) == 1
    assert found["called"] == [f"{ROOT}/contacts/search", f"{ROOT}/transactions"]
    assert new["called"] == [f"{ROOT}/contacts/search", f"{ROOT}/contacts", f"{ROOT}/transactions"]
    [named] = await segment.run(bought("whoever", {"total": "1", "nested": {"a": [1]}}, contactId=ada))
    assert named["called"] == [f"{ROOT}/transactions"]
    assert succeeded(named)["unprocessedTransactions"] == {}

    [cleo] = await segment.found("extRef", "cleo")
    assert (cleo["firstName"], cleo["email"]) == ("Cleo", "cleo@shop.example")
    [hers] = await segment.transactions(cleo["id"])
    assert hers["data"] == {"total": "7"}
    first, second = sorted(await segment.transactions(ada), key=lambda one: len(one["data"]), reverse=True)
    assert first["data"] == {"email": "ADA@shop.example", "total": "12.5", "gift": "false"}
    assert (first["mailingListId"], first["transactionDate"]) == (LIST, "2026-01-31 12:30:00")
    # Of a nested value the destination sends the whole object's text, a slip of its own.
    assert second["data"] == {"total": "1", "nested": '{"total":"1","nested":{"a":[1]}}'}
    [shown] = await segment.found("email", "ada@shop.example")
    assert (shown["firstName"], shown["externalDataReference"]) == ("Ada", "ada")
    assert len((await segment.ask("/contacts"))["elements"]) == 2


async def test_what_goes_wrong(segment: Segment) -> None:
    """More than one contact found is the destination's own error; an id that nobody has is a row's, not the call's."""
    one, other, twice, nobody, refused = await segment.run(
        identify("twin", {"email": "one@shop.example"}),
        identify("twin", {"email": "other@shop.example"}),
        bought("twin", {"total": "1"}),
        bought("nobody", {"total": "1"}, contactId="CID_000000000000000"),
        {**identify("late", {"email": "late@shop.example"}), "settings": {"apiToken": READER}},
    )
    assert succeeded(one)["id"] != succeeded(other)["id"]
    assert twice["called"] == [f"{ROOT}/contacts/search"]
    assert twice["error"]["code"] == "directory_lookup_error"
    assert twice["error"]["message"] == "Unable to located one and only one contact in directory search"
    rows = succeeded(nobody)
    assert rows["createdTransactions"] == {}
    [row] = rows["unprocessedTransactions"].values()
    assert row["error"] == "unknown_contact"
    assert refused["error"]["body"]["meta"]["error"]["errorCode"] == "missing_scope"
    assert await segment.found("email", "late@shop.example") == []
