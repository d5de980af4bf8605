"""How often a token may ask: 429 with the seconds to wait, and what a new revision changes."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from support.queries import ListedLists, ListedQueries
from support.writers import FoldingWriter

from processor.api.limits import Limits
from processor.api.refusals import RefusedError
from processor.api.v3 import build_routes
from processor.domain.rules import Rules
from processor.ports.revisions import ApiToken, Compiled

SLOW = ApiToken("slow", ("slow-secret",), frozenset({"directory:read"}), requests_per_s=2)
FREE = ApiToken("free", ("free-secret",), frozenset({"directory:read"}))


def compiled(revision: int, *tokens: ApiToken) -> Compiled:
    return Compiled(revision, Rules(revision, {}, {}, ()), (), tokens, {})


async def test_one_token_too_fast() -> None:
    """The third call within a second is refused with Retry-After; the token without a limit goes on."""
    queries, revision = ListedQueries(), SimpleNamespace(current=compiled(1, SLOW, FREE))
    app = web.Application()
    app.add_routes(build_routes(queries, revision, writer=FoldingWriter(queries), lists=ListedLists()))
    async with TestClient(TestServer(app)) as client:
        answers = [await client.get("/API/v3/whoami", headers={"X-API-TOKEN": "slow-secret"}) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert int(answers[2].headers["Retry-After"]) == 1
        error = (await answers[2].json())["meta"]["error"]
        assert error["errorCode"] == "too_many_requests"
        assert "slow" in error["errorMessage"]
        assert "secret" not in error["errorMessage"]
        free = [await client.get("/API/v3/whoami", headers={"X-API-TOKEN": "free-secret"}) for _ in range(9)]
        assert {answer.status for answer in free} == {200}


def test_a_new_revision_refills_nothing() -> None:
    """The same limit in another revision is the same bucket; another limit is another one."""
    limits = Limits(lambda: 7.0)
    limits.spend(SLOW, compiled(1, SLOW))
    limits.spend(SLOW, compiled(2, SLOW, FREE))
    with pytest.raises(RefusedError) as raised:
        limits.spend(SLOW, compiled(3, SLOW))
    assert (raised.value.status, raised.value.headers) == (429, {"Retry-After": "1"})
    wider = replace(SLOW, requests_per_s=3)
    limits.spend(wider, compiled(4, wider))


def test_a_long_wait_is_said() -> None:
    """Whole seconds, never less than what is right."""
    rare = replace(SLOW, requests_per_s=0.1)
    limits = Limits(lambda: 0.0)
    limits.spend(rare, compiled(1, rare))
    with pytest.raises(RefusedError) as raised:
        limits.spend(rare, compiled(1, rare))
    assert raised.value.headers == {"Retry-After": "10"}
