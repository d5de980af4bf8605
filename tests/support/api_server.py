"""The API as it is served, over a real PostgreSQL: a document applied, its routes on a loopback port."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler
from pydantic import SecretStr

from processor.adapters.postgres.lists import PostgresLists
from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.api.v3 import build_routes
from processor.config import Secrets, check, compile_document
from processor.domain.directory.ids import contact_id
from processor.ports.queries import Queries
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
    writer: PostgresDirectoryWriter
    answered: Counter[tuple[str, str, int]]
    """Method, path as the table has it, and status of every answer."""

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and body of a call below ``/API/v3``; ``Idempotency_Key="k"`` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.request(method, f"/API/v3{path}", json=body, headers=named) as answer:
            return answer.status, await answer.json()

    async def merge(self, winner: str, loser: str) -> None:
        """By their public ids."""
        numbers = [contact_id(each) for each in (winner, loser)]
        await self.writer.merge(*(number for number in numbers if number is not None), "tests")

    async def result(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """What stands under ``result`` of a call that succeeds."""
        status, answer = await self.call(method, path, body, **headers)
        assert status == 200, answer
        return answer["result"]


@asynccontextmanager
async def serving(
    dsn: str, document: str = DOCUMENT, queries: Callable[[Any], Queries] = PostgresQueries
) -> AsyncIterator[ApiServer]:
    """The document as revision 1 of a migrated database, and the API beside it. ``queries`` reads, of the pool."""
    writer: PostgresDirectoryWriter
    answered: Counter[tuple[str, str, int]] = Counter()

    @web.middleware
    async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        resource = request.match_info.route.resource
        answered[request.method, resource.canonical if resource else "", answer.status] += 1
        return answer

    pool = await open_pool(Settings(postgres=SecretStr(dsn)))
    try:
        revision = await PostgresRevisions(pool).add(document, "tests")
        compiled = compile_document(check(document), revision.number, secrets=Secrets({"TOKEN": TOKEN}, Path()))
        app = web.Application(middlewares=[counting])
        current = SimpleNamespace(current=compiled)
        writer, lists = PostgresDirectoryWriter(pool), PostgresLists(pool)
        app.add_routes(build_routes(queries(pool), current, writer=writer, lists=lists))
        async with TestClient(TestServer(app), headers={"X-API-TOKEN": TOKEN}) as client:
            yield ApiServer(client, pool, str(client.make_url("")).rstrip("/"), writer, answered)
    finally:
        await pool.close()
