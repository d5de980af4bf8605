"""The API as it is served, over a real PostgreSQL: a document applied, its routes on a loopback port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.api.v3 import build_routes
from processor.config import Secrets, check, compile_document
from processor.settings import Settings

__all__ = ["DOCUMENT", "TOKEN", "ApiServer", "serving"]

TOKEN = "writer-token-of-the-tests"
DOCUMENT = """
version: 1
api_tokens:
  - {name: writer, token: {env: TOKEN}, scopes: [directory:read, directory:write]}
directories:
  - id: POOL_a
    name: A
    merge_rules: [[extRef], [email], [phone, lastName]]
    mailing_lists: [{id: CG_all, name: Everybody}, {id: CG_vip, name: Some}]
    default_mailing_list: CG_all
  - {id: POOL_b, name: B}
"""


@dataclass
class ApiServer:
    """A running API. ``client`` sends the token; ``url`` is where others reach it."""

    client: TestClient[web.Request, web.Application]
    pool: Any
    url: str

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and body of a call below ``/API/v3``; ``Idempotency_Key="k"`` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.request(method, f"/API/v3{path}", json=body, headers=named) as answer:
            return answer.status, await answer.json()

    async def result(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """What stands under ``result`` of a call that succeeds."""
        status, answer = await self.call(method, path, body, **headers)
        assert status == 200, answer
        return answer["result"]


@asynccontextmanager
async def serving(dsn: str, document: str = DOCUMENT) -> AsyncIterator[ApiServer]:
    """The document as revision 1 of a migrated database, and the API beside it."""
    pool = await open_pool(Settings(postgres=SecretStr(dsn)))
    try:
        revision = await PostgresRevisions(pool).add(document, "tests")
        compiled = compile_document(check(document), revision.number, secrets=Secrets({"TOKEN": TOKEN}, Path()))
        app = web.Application()
        current = SimpleNamespace(current=compiled)
        app.add_routes(build_routes(PostgresQueries(pool), current, writer=PostgresDirectoryWriter(pool)))
        async with TestClient(TestServer(app), headers={"X-API-TOKEN": TOKEN}) as client:
            yield ApiServer(client, pool, str(client.make_url("")).rstrip("/"))
    finally:
        await pool.close()
