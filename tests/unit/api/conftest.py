"""A directory of 205 contacts behind the API, and a client that may read it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from support.queries import ListedLists, ListedQueries
from support.writers import FoldingWriter

from processor.api.v3 import build_routes
from processor.domain.directory.ids import contact_cid
from processor.domain.rules import Directory, Rules
from processor.ports.queries import ContactRow, TransactionRow, Writer
from processor.ports.revisions import ApiToken, Compiled

BORN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
OPTED_OUT = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)


def contact(id_: int, directory: str = "POOL_customers") -> ContactRow:
    return ContactRow(
        id=id_,
        directory=directory,
        ext_ref=f"user{id_}",
        email=f"Person{id_}@shop.example",
        phone="+41 44 000 00 00",
        first_name="Ada",
        last_name="Lovelace",
        language=None,
        unsubscribed=True if id_ == 1 else None,
        embedded={"plan": "gold"},
        created_at=BORN,
        modified_at=BORN + timedelta(hours=1, microseconds=1500),
        made_by={"mapping": "crm/contact", "message": "m1", "rule": "extRef"},
        writers={"unsubscribed": Writer(1, OPTED_OUT, "m9", "crm/contact")},
    )


def transaction(number: int, contact_: int = 1) -> TransactionRow:
    return TransactionRow(
        key=number.to_bytes(16, "big"),
        contact=contact_,
        date=BORN + timedelta(seconds=number // 3, microseconds=number),
        data={"total": str(number)},
        mailing_list=None if number % 2 else "CG_all",
        source="web",
        mapping="crm/transaction",
        message=f"t{number}",
        revision=1,
    )


@dataclass
class Caller:
    """Calls with a token and hands back status, headers and body."""

    client: TestClient[web.Request, web.Application]
    queries: ListedQueries
    writer: FoldingWriter

    async def get(self, path: str, token: str | None = "reader-secret") -> tuple[int, dict[str, Any]]:
        return await self.call("GET", path, token)

    async def call(
        self, method: str, path: str, token: str | None = "reader-secret", **body: Any
    ) -> tuple[int, dict[str, Any]]:
        headers = {**({} if token is None else {"X-API-TOKEN": token}), **body.pop("headers", {})}
        async with self.client.request(method, path, headers=headers, **body) as answer:
            self.headers = answer.headers
            return answer.status, await answer.json()


@pytest.fixture
async def api() -> AsyncIterator[Caller]:
    queries = ListedQueries(
        all_contacts=[*(contact(n) for n in range(1, 206)), contact(900, "POOL_other")],
        all_transactions=[transaction(n) for n in range(1, 8)],
        merged={50_001: 7},
    )
    directories = {
        "POOL_customers": Directory("POOL_customers", "Customers", (("email", "extRef"), ("phone",))),
        "POOL_other": Directory("POOL_other", "Other", mailing_lists=(("CG_all", "Everybody"),)),
        "POOL_new": Directory("POOL_new", "Not yet written to"),
    }
    tokens = [
        ApiToken("reader", ("reader-old-secret", "reader-secret"), frozenset({"directory:read"})),
        ApiToken("writer", ("writer-secret",), frozenset({"directory:read", "directory:write"})),
        ApiToken("other", ("other-secret",), frozenset({"directory:read", "directory:write"})),
        ApiToken("trigger", ("trigger-secret",), frozenset({"trigger"})),
        ApiToken("unset", ("",), frozenset({"directory:read"})),
    ]
    compiled = Compiled(1, Rules(1, {}, directories, ()), (), tokens, directories)
    writer = FoldingWriter(queries)
    app = web.Application()
    app.add_routes(build_routes(queries, SimpleNamespace(current=compiled), writer=writer, lists=ListedLists()))
    async with TestClient(TestServer(app)) as client:
        yield Caller(client, queries, writer)


@pytest.fixture
def first_cid() -> str:
    return contact_cid(1)
