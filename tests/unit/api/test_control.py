"""The control calls: an event tried and a test event made over HTTP, by those who may, and nothing else."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from processor.api.control import build_control
from processor.api.control.routes import MOST_WAITING
from processor.config import Secrets, check, compile_document

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text()
DOCUMENT = """
version: 1
api_tokens:
  - {name: ops, token: ops-secret, scopes: [control]}
  - {name: reader, token: reader-secret, scopes: [directory:read]}
directories: [{id: POOL_customers, name: Customers, merge_rules: [[extRef], [email]]}]
sources: [{id: web, write_key: web-secret}]
connections:
  - name: crm
    mappings:
      - name: contact
        action: addContactToXmd
        when: 'type = "identify" and (traits.plan = "pro" or traits.score > 3)'
        fields: {directoryId: POOL_customers}
      - {name: never, action: addContactToXmd, when: 'type = "x"', fields: {directoryId: POOL_customers}}
"""
PASTED = DOCUMENT.replace('"pro"', '"gold"')
EVENT = {"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"plan": "gold"}}


class Caller:
    def __init__(self, client: TestClient[web.Request, web.Application]) -> None:
        self.client = client

    async def post(self, body: object, token: str = "ops-secret") -> tuple[int, dict[str, Any]]:
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.client.post("/control/v1/try", data=data, headers={"X-API-TOKEN": token}) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, token: str = "ops-secret") -> tuple[int, dict[str, Any]]:
        async with self.client.get(f"/control/v1/{path}", headers={"X-API-TOKEN": token}) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Caller]:
    compiled = compile_document(check(DOCUMENT), 1, secrets=Secrets({}, tmp_path))
    app = web.Application()
    app.add_routes(build_control(SimpleNamespace(current=compiled)))
    async with TestClient(TestServer(app)) as client:
        yield Caller(client)


async def test_all_mappings(control: Caller) -> None:
    """The event as it was decided by, and each mapping's trial, as `isthmus try --json` prints it."""
    status, body = await control.post({"event": EVENT})
    assert status == 200
    assert body["result"]["event"]["receivedAt"]
    contact, never = body["result"]["mappings"]
    assert (contact["mapping"], contact["verdict"], contact["source"]) == ("crm/contact", "no_match", "web")
    assert [each["holds"] for each in contact["filter"]["clauses"]] == [True, False]
    assert never["verdict"] == "no_match"


async def test_a_pasted_document(control: Caller) -> None:
    """It counts instead of the revision in force, with its warnings; that revision stays what it was."""
    asked = {"event": EVENT, "mapping": "contact", "source": "web", "config": PASTED}
    _, body = await control.post(asked)
    (trial,) = body["result"]["mappings"]
    assert (trial["verdict"], trial["effect"]["values"]) == ("applied", {"extRef": "u1"})
    assert body["result"]["warnings"][0]["path"] == "api_tokens[0].token"
    assert "secret" not in json.dumps({**body["result"], "warnings": []})
    _, body = await control.post({**asked, "config": None})
    assert body["result"]["mappings"][0]["verdict"] == "no_match"


async def test_a_pasted_document_with_faults(control: Caller) -> None:
    """Every fault with its path and line, beside the code."""
    status, body = await control.post({"event": EVENT, "config": "version: 1\nsources: [{id: web}]\nx: 1\n"})
    error = body["meta"]["error"]
    assert (status, error["errorCode"]) == (400, "document_invalid")
    assert [(fault["path"], fault["line"]) for fault in error["faults"]] == [("sources[0].write_key", 2), ("x", 3)]


async def test_no_secret_of_the_server_is_read(control: Caller, tmp_path: Path) -> None:
    """A pasted document may name any file or variable; the answer is the same whether or not it is there."""
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.write_text("hidden-value")
    answers = []
    for file in (there, absent):
        text = PASTED.replace("web-secret", f"{{file: {file}}}").replace("ops-secret", "{env: HOME}")
        _, body = await control.post({"event": EVENT, "config": text, "mapping": "contact"})
        answers.append((body["result"]["mappings"][0]["effect"], body["result"]["warnings"]))
    assert answers[0] == answers[1]
    assert "hidden-value" not in json.dumps(answers)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"[]", 400, "bad_request"),
        ({"events": []}, 400, "bad_request"),
        ({"event": EVENT, "mappings": "x"}, 400, "bad_request"),
        ({"event": EVENT, "mapping": 1}, 400, "bad_request"),
        ({"event": EVENT, "config": {}}, 400, "bad_request"),
        ({"event": EVENT, "config": "\x00"}, 400, "document_invalid"),
        ({"event": EVENT, "config": "\ud800"}, 400, "document_invalid"),
        ({"event": EVENT, "mapping": "x"}, 404, "unknown_mapping"),
        ({"event": EVENT, "source": "x"}, 404, "unknown_source"),
        ({"event": 1}, 400, "not_an_object"),
        ({"event": {"type": "track", "userId": "u"}}, 400, "missing_event"),
        ({"event": {**EVENT, "x": "\x00"}}, 400, "bad_text"),
        ({"event": {**EVENT, "x": "\ud800"}}, 400, "bad_text"),
        (b'{"event": {"type": "page", "userId": "u", "x": 1e999}}', 400, "bad_number"),
        ({"event": {**EVENT, "x": "x" * 40_000}}, 400, "too_large"),
        (b'{"event": ' + b'{"a":' * 100 + b"1" + b"}" * 101, 400, "unknown_type"),
        (b'{"event": {"type": "page", "userId": "u", "a": ' + b"[" * 70 + b"]" * 70 + b"}}", 400, "too_deep"),
        (b'{"event": ' + b"[" * 100_000, 400, "too_deep"),
        (b'{"event": "' + b"[" * 200 + b'"}', 400, "not_an_object"),
        (b" " * 1_100_000, 413, "too_large"),
    ],
)
async def test_bad_requests(control: Caller, body: object, status: int, code: str) -> None:
    """A status, a code and a sentence for each, and those of ingress where the event is bad."""
    found, answer = await control.post(body)
    assert (found, answer["meta"]["error"]["errorCode"]) == (status, code)
    assert answer["meta"]["error"]["errorMessage"].endswith(".")
    assert set(answer) == {"meta"}


async def test_who_may_ask(control: Caller) -> None:
    """The scope is `control`; without a token nothing is told, not even which calls there are."""
    for token, status in (("reader-secret", 403), ("wrong", 401)):
        assert (await control.post({"event": EVENT}, token))[0] == status
        assert (await control.get("sample?type=track", token))[0] == status
        assert (await control.get("nowhere", token))[0] == status
    status, body = await control.get("nowhere")
    assert (status, body["meta"]["error"]["errorCode"]) == (404, "unknown_call")


@pytest.mark.parametrize("query", ["type=track", "type=alias", "mapping=contact", "mapping=crm/contact"])
async def test_a_sample_is_taken(control: Caller, query: str) -> None:
    """What `sample` gives, `try` takes."""
    status, body = await control.get(f"sample?{query}")
    assert status == 200
    status, tried = await control.post({"event": body["result"]["event"], "mapping": "contact"})
    assert status == 200
    assert (tried["result"]["mappings"][0]["verdict"] == "applied") is query.startswith("mapping")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "bad_request"),
        ("?type=track&mapping=contact", 400, "bad_request"),
        ("?type=x", 400, "unknown_type"),
        ("?type=", 400, "unknown_type"),
        ("?mapping=x", 404, "unknown_mapping"),
        ("?mapping=never", 404, "no_sample"),
    ],
)
async def test_no_sample(control: Caller, query: str, status: int, code: str) -> None:
    """A sentence that says why."""
    found, body = await control.get(f"sample{query}")
    assert (found, body["meta"]["error"]["errorCode"]) == (status, code)


async def test_a_long_answer(control: Caller) -> None:
    """A document of thousands of mappings is answered one mapping at a time."""
    fields = "{directoryId: POOL_customers, embeddedData: {p: {'@path': '$.properties'}}}"
    entry = f"{{name: m%d, action: addContactToXmd, when: always, fields: {fields}}}"
    many = DOCUMENT + "".join(f"      - {entry % n}\n" for n in range(300))
    event = {**EVENT, "properties": {"text": "x" * 30_000}}
    status, body = await control.post({"event": event, "config": many})
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "too_large")
    assert (await control.post({"event": event, "config": many, "mapping": "m7"}))[0] == 200


async def test_one_at_a_time(control: Caller) -> None:
    """Long documents take turns beside the loop, which goes on answering; a crowd is asked to come again."""
    long = DOCUMENT + "".join(f"# {'x' * 60} {n}\n" for n in range(300)) + "\n" * 50_000
    answers = await asyncio.gather(*(control.post({"event": EVENT, "config": long}) for _ in range(3 * MOST_WAITING)))
    statuses = [status for status, _ in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= MOST_WAITING
    assert {body["meta"]["error"]["errorCode"] for status, body in answers if status == 429} == {"busy"}
    assert (await control.get("sample?type=track"))[0] == 200


async def test_the_page(control: Caller) -> None:
    """The calls that docs/api.md shows are answered as it shows, but for names and times that are new each time."""
    asked, shown = re.findall(r"/control/v1/try .*?-d '(.*?)'\n```\n\n```json\n(.*?)```", PAGE, re.DOTALL)[0]
    status, body = await control.post(json.loads(asked))
    expected = json.loads(shown)
    assert status == 200
    assert body["result"]["mappings"] == expected["result"]["mappings"]
    assert body["result"].keys() == expected["result"].keys()
    (query,) = re.findall(r"/control/v1/(sample\?\S+?)'", PAGE)
    status, body = await control.get(query)
    assert (status, body["result"]["event"]["type"]) == (200, "identify")
