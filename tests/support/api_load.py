"""A steady load of API calls, each sent again under its Idempotency-Key until it is answered, whoever was killed."""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp

from processor.domain.directory.ids import contact_id, transaction_ctr

if TYPE_CHECKING:
    from support.running import Isthmus, Kept

__all__ = ["TOKEN", "ApiLoad"]

TOKEN = "token_of_the_api_load_4711"
_PATIENCE_S = 60.0
_CUT_S = (0.001, 0.03)
"""After how long, from and to, a caller may lose its connection: before, while or after the call is done."""


class ApiLoad:
    """Callers who write people of a load of events, orders of theirs, and strangers by whom nobody can be found."""

    def __init__(self, apis: Sequence["Kept"], directory: str, *, people: int, callers: int = 6) -> None:
        self._apis = apis
        self._root = f"/API/v3/directories/{directory}"
        self._people, self._callers = people, callers
        self._numbers = itertools.count()
        self._random = Random(4711)
        self._headers = {"X-API-TOKEN": TOKEN}
        self.contacts: defaultdict[str, set[str]] = defaultdict(set)
        """Person to the contact's ids that were answered."""
        self.orders: dict[str, str] = {}
        """Name of an order to the transaction's id that was answered."""
        self.strangers: dict[str, str] = {}
        self.tries: Counter[str] = Counter()
        """What became of each try: a status, or the error of a lost connection."""

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator["ApiLoad"]:
        """Call steadily until the end of the block, then until every call that was begun is answered."""
        self._stopping = False
        async with aiohttp.ClientSession(headers=self._headers) as http, asyncio.TaskGroup() as tasks:
            for _ in range(self._callers):
                tasks.create_task(self._call_steadily(http))
            try:
                yield self
            finally:
                self._stopping = True

    async def _call_steadily(self, http: aiohttp.ClientSession) -> None:
        while not self._stopping:
            await self._write_one(http, next(self._numbers))

    async def _write_one(self, http: aiohttp.ClientSession, number: int) -> None:
        person = f"user-{number % self._people}"
        who = {"email": f"{person}@example.com"} | ({"extRef": person} if number % 2 else {})
        who |= {"phone": f"+{number % self._people}", "lastName": "Name"}
        contact = (await self._answered(http, "contacts", who, f"c{number}"))["id"]
        self.contacts[person].add(contact)
        order = {"o": {"contactId": contact, "data": {"order": f"o{number}", "person": person}}}
        done = await self._answered(http, "transactions", order, f"o{number}")
        self.orders[f"o{number}"] = done["createdTransactions"]["o"]["id"]
        if number % 5 == 0:
            stranger = f"stranger-{number}"
            made = await self._answered(http, "contacts", {"firstName": stranger}, f"s{number}")
            self.strangers[stranger] = made["id"]

    async def _answered(self, http: aiohttp.ClientSession, what: str, body: Any, once: str) -> Any:
        """The result of a call that may have to be sent again; now and then the caller loses the connection itself."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE_S
        while loop.time() < deadline:
            cut = self._random.random() < 0.1
            timeout = aiohttp.ClientTimeout(self._random.uniform(*_CUT_S) if cut else 10)
            url = f"http://127.0.0.1:{self._random.choice(self._apis).now.port}{self._root}/{what}"
            try:
                async with http.post(url, json=body, headers={"Idempotency-Key": once}, timeout=timeout) as answer:
                    self.tries[str(answer.status)] += 1
                    if answer.status == 200:
                        return (await answer.json())["result"]
                    assert answer.status == 503, await answer.text()
            except (aiohttp.ClientError, TimeoutError) as error:
                self.tries["cut" if cut else type(error).__name__] += 1
            await asyncio.sleep(0.05)
        raise AssertionError(f"{what} {once} was not answered within {_PATIENCE_S} s: {self.tries}")

    async def check(self, isthmus: "Isthmus") -> None:
        """Everything that was answered is there once, under the id that was answered; nothing else is."""
        rows = await isthmus.rows(
            "SELECT key, contact, data->>'order' AS name, data->>'person' AS person FROM transactions"
            " WHERE source = 'api'"
        )
        assert sorted(row["name"] for row in rows) == sorted(self.orders)
        for row in rows:
            assert transaction_ctr(row["key"]) == self.orders[row["name"]]
            assert {contact_id(cid) for cid in self.contacts[row["person"]]} == {row["contact"]}, row["person"]
        rows = await isthmus.rows("SELECT id, ext_ref, email, first_name FROM contacts")
        strangers = {row["first_name"]: row["id"] for row in rows if row["email"] is None and row["ext_ref"] is None}
        assert strangers == {name: contact_id(cid) for name, cid in self.strangers.items()}
        assert len(rows) == len(strangers) + len({row["email"] for row in rows if row["email"]}), "twins"
