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

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

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
    isthmus.keep("api")
    try:
        async with aiohttp.ClientSession(isthmus.url) as http:

            async def answers() -> bool:
                try:
                    async with http.get("/API/v3/whoami", headers={"X-API-TOKEN": READER}) as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(answers, 30, "the API answers")
            yield Segment(isthmus.url, packages, http)
    finally:
        await isthmus.close()


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
