"""The calls about mailing lists and suppressions, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from yarl import URL

from processor.adapters.postgres.lists import PostgresLists
from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.api.control import build_control
from processor.api.v3 import build_routes
from processor.config import Secrets, check, compile_document
from processor.settings import Settings

pytestmark = pytest.mark.integration

DOCUMENT = """
version: 1
api_tokens:
  - {name: crm, token: crm-secret, scopes: ["directory:read", "directory:write", control]}
  - {name: reader, token: reader-secret, scopes: ["directory:read"]}
directories:
  - {id: POOL_people, name: People, merge_rules: [[email]], mailing_lists: [{id: CG_all, name: Everybody}]}
  - {id: POOL_other, name: Others, merge_rules: [[email]]}
sources: []
connections: []
"""
LISTS = "/API/v3/directories/POOL_people/mailinglists"
CONTACTS = "/API/v3/directories/POOL_people/contacts"
SUPPRESSIONS = "/control/v1/suppressions"


class Caller:
    def __init__(self, client: TestClient[web.Request, web.Application]) -> None:
        self._client = client

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The ``result``; of a refusal (status, code)."""
        headers = {"X-API-TOKEN": more.pop("token", "crm-secret"), **more.pop("headers", {})}
        path = URL(path, encoded=True).raw_path_qs  # of a nextPage too, which is a whole address
        async with self._client.request(method, path, json=body, headers=headers, **more) as answer:
            whole = await answer.json()
            if answer.status == 200:
                return whole["result"]
            return answer.status, whole["meta"]["error"]["errorCode"]


@pytest.fixture
async def call(database: str, tmp_path: Path) -> AsyncIterator[Caller]:
    """The document in force, its directories and lists in the database."""
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    await PostgresRevisions(pool).add(DOCUMENT, "tests")
    compiled = compile_document(check(DOCUMENT), 1, secrets=Secrets({}, tmp_path))
    revision, writer = SimpleNamespace(current=compiled), PostgresDirectoryWriter(pool)
    app = web.Application()
    app.add_routes(build_routes(PostgresQueries(pool), revision, writer=writer, lists=PostgresLists(pool)))
    app.add_routes(build_control(revision, writer))
    async with TestClient(TestServer(app)) as client:
        yield Caller(client)
    await pool.close()


async def test_a_list_lives_beside_those_of_the_document(call: Caller) -> None:
    """Made, listed in pages, renamed, deleted; the document's can be neither renamed nor deleted."""
    id_ = (await call("POST", LISTS, {"name": "  Guests of 2026 ", "ownerId": "UR_ada"}))["id"]
    assert id_.startswith("CG_")
    assert len(id_) == 18
    made = await call("GET", f"{LISTS}/{id_}")
    assert made.pop("creationDate").endswith("Z")
    nobody = {"ownerId": None, "lastModifiedDate": None, "contactCount": 0}
    assert made == {"mailingListId": id_, "name": "Guests of 2026", **nobody}
    first = await call("GET", f"{LISTS}?pageSize=1")
    rest = await call("GET", first["nextPage"])
    assert {one["mailingListId"] for one in first["elements"] + rest["elements"]} == {"CG_all", id_}
    assert rest["nextPage"] is None
    assert await call("PUT", f"{LISTS}/{id_}", {"name": "Guests"}) == {}
    assert (await call("GET", f"{LISTS}/{id_}"))["name"] == "Guests"
    assert await call("DELETE", f"{LISTS}/{id_}") == {}
    for method, path in (("PUT", "CG_all"), ("DELETE", "CG_all")):
        assert await call(method, f"{LISTS}/{path}", {"name": "Mine"}) == (409, "list_of_document")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb", 7, None])
async def test_names_of_lists(call: Caller, name: Any) -> None:
    """1 to 100 characters on one line, and text."""
    assert await call("POST", LISTS, {"name": name}) == (400, "QVAL_3")
    assert await call("POST", LISTS, {}) == (400, "QVAL_3")
    assert (await call("POST", LISTS, {"name": "x" * 100}))["id"]


async def test_contacts_of_a_list(call: Caller) -> None:
    """One call makes the contact and the membership; the same person again is found; leaving keeps the contact."""
    members = f"{LISTS}/CG_all/contacts"
    ada = {"email": "Ada@shop.example", "firstName": "Ada", "extRef": "ada", "embeddedData": {"plan": "gold"}}
    made = await call("POST", members, ada)
    cid = made["id"]
    assert made == {"id": cid, "contactLookupId": cid.replace("CID_", "CGC_")}
    assert (await call("POST", members, {"email": "ada@SHOP.example", "phone": "+41 1"}))["id"] == cid
    whole = await call("GET", f"{members}/{cid}")
    assert whole == await call("GET", f"{members}/{made['contactLookupId']}")
    assert whole.pop("creationDate") <= whole.pop("lastModified")
    assert whole == {
        "contactId": cid,
        "contactLookupId": made["contactLookupId"],
        "firstName": "Ada",
        "lastName": None,
        "email": "ada@SHOP.example",
        "phone": "+41 1",
        "extRef": "ada",
        "language": None,
        "unsubscribed": False,
        "mailingListUnsubscribed": False,
        "mailingListUnsubscribeDate": None,
        "embeddedData": {"plan": "gold"},
    }
    assert (await call("GET", CONTACTS))["elements"][0]["id"] == cid
    assert (await call("GET", f"{LISTS}/CG_all"))["contactCount"] == 1
    assert await call("DELETE", f"{members}/{cid}") == {}
    assert await call("DELETE", f"{members}/{cid}") == (404, "unknown_contact")
    assert (await call("GET", members)) == {"elements": [], "nextPage": None}
    assert (await call("GET", f"{CONTACTS}/{cid}"))["id"] == cid


async def test_two_opt_outs(call: Caller) -> None:
    """That of a list and that of the directory are each their own; null leaves the list's as it is."""
    members = f"{LISTS}/CG_all/contacts"
    cid = (await call("POST", members, {"email": "a@shop.example", "mailingListUnsubscribed": True}))["id"]
    other = (await call("POST", LISTS, {"name": "Other"}))["id"]
    await call("POST", f"{LISTS}/{other}/contacts", {"email": "a@shop.example"})

    async def opted_out() -> tuple[bool, bool, bool]:
        here, there = await call("GET", f"{members}/{cid}"), await call("GET", f"{LISTS}/{other}/contacts/{cid}")
        assert here["unsubscribed"] is there["unsubscribed"]
        assert (here["mailingListUnsubscribeDate"] is not None) is here["mailingListUnsubscribed"]
        return here["unsubscribed"], here["mailingListUnsubscribed"], there["mailingListUnsubscribed"]

    assert await opted_out() == (False, True, False)
    await call("PUT", f"{members}/{cid}", {"unsubscribed": True, "mailingListUnsubscribed": None})
    assert await opted_out() == (True, True, False)
    assert (await call("PUT", f"{members}/{cid}", {"mailingListUnsubscribed": False}))["id"] == cid
    assert await opted_out() == (True, False, False)
    [element] = (await call("GET", members))["elements"]
    assert (element["contactId"], element["unsubscribed"], element["mailingListUnsubscribed"]) == (cid, True, False)


async def test_pages_of_a_list(call: Caller) -> None:
    """Every member once, in any number of pages."""
    members = f"{LISTS}/CG_all/contacts"
    made = {(await call("POST", members, {"email": f"p{n}@shop.example"}))["id"] for n in range(5)}
    found, following = [], f"{members}?pageSize=2"
    while following:
        page = await call("GET", following)
        found += [element["contactId"] for element in page["elements"]]
        following = page["nextPage"]
    assert sorted(found) == sorted(made)


async def test_a_repeat_with_a_key(call: Caller) -> None:
    """A contact without anything to find it by is made once for each Idempotency-Key."""
    members, key = f"{LISTS}/CG_all/contacts", {"Idempotency-Key": "form-7"}
    first = await call("POST", members, {"firstName": "Ada"}, headers=key)
    assert await call("POST", members, {"firstName": "Ada"}, headers=key) == first
    assert await call("POST", members, {"firstName": "Ada"}) != first
    assert len((await call("GET", members))["elements"]) == 2


async def test_what_is_not_there(call: Caller) -> None:
    """Each part of the address has its own code, and reading needs no more than the scope for reading."""
    body = {"email": "a@shop.example"}
    cid = (await call("POST", CONTACTS, body))["id"]
    refused = [
        ("GET", f"{LISTS}/CG_none", 404, "unknown_mailing_list"),
        ("GET", f"{LISTS}/nonsense%00", 404, "unknown_mailing_list"),
        ("PUT", f"{LISTS}/CG_none", 404, "unknown_mailing_list"),
        ("DELETE", f"{LISTS}/CG_none", 404, "unknown_mailing_list"),
        ("GET", f"{LISTS}/CG_none/contacts", 404, "unknown_mailing_list"),
        ("POST", f"{LISTS}/CG_none/contacts", 404, "unknown_mailing_list"),
        ("GET", f"{LISTS}/CG_none/contacts/{cid}", 404, "unknown_mailing_list"),
        ("GET", f"{LISTS}/CG_all/contacts/{cid}", 404, "unknown_contact"),
        ("PUT", f"{LISTS}/CG_all/contacts/{cid}", 404, "unknown_contact"),
        ("GET", f"{LISTS}/CG_all/contacts/nonsense", 404, "unknown_contact"),
        ("GET", LISTS.replace("POOL_people", "POOL_x"), 404, "unknown_directory"),
        ("GET", LISTS.replace("POOL_people", "POOL_other") + "/CG_all", 404, "unknown_mailing_list"),
        ("GET", f"{LISTS}?skipToken=nonsense", 400, "QVAL_3"),
        ("GET", f"{LISTS}/CG_all/contacts?skipToken=nonsense", 400, "QVAL_3"),
    ]
    for method, path, status, code in refused:
        assert await call(method, path, {"name": "x", **body}) == (status, code), path
    assert await call("GET", LISTS, token="reader-secret")
    assert await call("POST", LISTS, {"name": "x"}, token="reader-secret") == (403, "missing_scope")
    assert await call("POST", f"{LISTS}/CG_all/contacts", body, token="reader-secret") == (403, "missing_scope")


async def test_suppressions(call: Caller) -> None:
    """The person is gone from every directory and stays away until the suppression is lifted."""
    ada = {"extRef": "ada-4711", "email": "ada@shop.example"}
    cid = (await call("POST", CONTACTS, ada))["id"]
    await call("POST", CONTACTS.replace("POOL_people", "POOL_other"), ada)
    await call("POST", f"{LISTS}/CG_all/contacts", ada)
    row = {"contactId": cid, "data": {"total": "1"}}
    await call("POST", "/API/v3/directories/POOL_people/transactions", {"a": row})
    erased = await call("POST", SUPPRESSIONS, {"userId": "ada-4711"})
    assert len(bytes.fromhex(erased.pop("hash"))) == 16
    assert erased == {"contacts": 2, "transactions": 1, "deadLetters": 0, "memberships": 1}
    assert await call("GET", f"{CONTACTS}/{cid}") == (404, "unknown_contact")
    assert await call("POST", CONTACTS, ada) == (409, "suppressed")
    again = await call("POST", SUPPRESSIONS, {"userId": "ada-4711"})
    assert (again["contacts"], again["transactions"]) == (0, 0)
    assert await call("DELETE", SUPPRESSIONS, {"userId": "ada-4711"}) == {}
    assert await call("DELETE", f"{SUPPRESSIONS}?userId=ada-4711") == (404, "unknown_suppression")
    back = (await call("POST", CONTACTS, ada))["id"]
    assert back != cid
    await call("POST", SUPPRESSIONS, {"userId": "ada-4711"})
    assert await call("DELETE", f"{SUPPRESSIONS}?userId=ada-4711") == {}


@pytest.mark.parametrize("body", [{}, {"userId": " "}, {"userId": 7}, {"userId": "x" * 513}, [], "ada"])
async def test_suppressions_need_a_user(call: Caller, body: Any) -> None:
    """What is no user id is refused before anything is looked for, as is a token without the scope."""
    for method in ("POST", "DELETE"):
        assert await call(method, SUPPRESSIONS, body) == (400, "bad_request")
        assert await call(method, SUPPRESSIONS, body, token="reader-secret") == (403, "missing_scope")
