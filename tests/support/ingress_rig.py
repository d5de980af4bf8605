"""An ingress over real HTTP whose publisher is made of lists."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from ingress.app import build_app
from processor.adapters.memory.publisher import MemoryPublisher
from processor.domain.rules import Rules
from processor.ports.publisher import Outgoing
from processor.ports.revisions import Compiled, HttpSource
from processor.settings import Settings

__all__ = ["BASIC", "GOOD", "NOW", "Rig", "basic", "compiled", "revision", "serving", "told"]


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


NOW = 1_714_564_810.0
BASIC = basic("wk_secret")
GOOD = {"type": "track", "userId": "u", "event": "E", "messageId": "m"}


def compiled(*sources: HttpSource) -> Compiled:
    return Compiled(1, Rules(1, {}, {}, ()), sources, (), {})


def revision(*keys: str) -> Compiled:
    return compiled(HttpSource("web", keys))


@dataclass
class Rig:
    """An ingress, what it wrote, and how to ask it."""

    client: Any
    publisher: MemoryPublisher
    current: Compiled = field(default_factory=lambda: revision("wk_secret"))

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> ClientResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        response: ClientResponse = await self.client.post(
            path, data=data, headers=BASIC if headers is None else headers
        )
        return response

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(record.value) for record in self.publisher.records["segment.events"]]

    @property
    def rejected(self) -> list[Outgoing]:
        return self.publisher.records["segment.rejected"]

    def codes(self) -> list[str]:
        return [dict(record.headers)["code"].decode() for record in self.rejected]


@asynccontextmanager
async def serving(
    *sources: HttpSource, publisher: MemoryPublisher | None = None, **settings: Any
) -> AsyncIterator[Rig]:
    """An ingress that knows these sources, else one named web with the key wk_secret."""
    made = Rig(None, publisher or MemoryPublisher())
    if sources:
        made.current = compiled(*sources)
    app = build_app(made.publisher, made, Settings(**settings), clock=lambda: NOW)
    async with TestClient(TestServer(app)) as client:
        made.client = client
        yield made


async def told(response: ClientResponse, status: int, code: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(await response.read())
    assert (response.status, body.get("code")) == (status, code), body
    assert body["success"] is (status == 200)
    if code is not None:
        assert body["message"]
        assert body["error"]
    return body
