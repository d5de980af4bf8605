"""A steady load through ingress that remembers what was acknowledged, and compares the directory with it."""

import asyncio
import itertools
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.running import Isthmus

__all__ = ["AUTHORIZATION", "DOCUMENT", "Load", "document", "mapping"]

WRITE_KEY = "wk_faults_4711"
AUTHORIZATION = f"Basic {b64encode(f'{WRITE_KEY}:'.encode()).decode()}"
DIRECTORY = "POOL_people"
_AT_ONCE = 30


def document(*more: str, traits: str = "$.traits.extra", properties: str = "$.properties") -> str:
    """A configuration of one source and two mappings; ``more`` are further ones, as YAML flow mappings."""
    return f"""
version: 1
directories: [{{id: {DIRECTORY}, name: People, merge_rules: [[extRef]]}}]
sources: [{{id: web, write_key: {WRITE_KEY}}}]
connections:
  - name: crm
    sources: all
    mappings:
      - name: contact
        action: addContactToXmd
        fields: {{directoryId: {DIRECTORY}, embeddedData: {{"@path": "{traits}"}}}}
{"".join(f"      - {mapping}{chr(10)}" for mapping in more)}\
      - name: transaction
        action: upsertContactTransaction
        fields: {{directoryId: {DIRECTORY}, embeddedData: {{"@literal": {{}}}},
                 transactionData: {{"@path": "{properties}"}}}}
"""


DOCUMENT = document()


def mapping(name: str, event: str, **fields: str) -> str:
    """One more mapping, of contacts, for the track events of this name; ``fields`` are Segment's mapping JSON."""
    given = "".join(f", {field}: {value}" for field, value in fields.items())
    return (
        f'{{name: {name}, action: addContactToXmd, when: \'type = "track" and event = "{event}"\','
        f" fields: {{directoryId: {DIRECTORY}{given}}}}}"
    )


class Load:
    """Batches of events of some people: for each an identify with a rising number, and a "Transaction Created".

    ``acknowledged`` and ``unknown`` are messageIds of transactions: of requests answered 200, and of all others.
    """

    def __init__(self, isthmus: "Isthmus", *, events_s: int = 400, people: int = 60, in_batch: int = 10) -> None:
        self._isthmus = isthmus
        self._every_s = in_batch / events_s
        self._people = people
        self._pairs = in_batch // 2
        self._numbers: Iterator[int] = itertools.count()
        self._start = datetime.now(UTC) - timedelta(minutes=10)
        self._free = asyncio.Semaphore(_AT_ONCE)
        self.more: list[dict[str, Any]] = []
        """Events, without messageId, that are added to every batch."""
        self.apart: set[str | None] = set()
        """External references of contacts that are not of this load."""
        self.addresses = False
        """Whether every event says the person's e-mail address too."""
        self.acknowledged: set[str] = set()
        self.unknown: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self._certain: dict[str, int] = {}
        self._possible: dict[str, int] = {}

    @asynccontextmanager
    async def flowing(self) -> "AsyncIterator[Load]":
        """Send steadily until the end of the block, then wait for the last answers."""
        timeout = aiohttp.ClientTimeout(15)
        headers = {"Authorization": AUTHORIZATION}
        async with aiohttp.ClientSession(self._isthmus.url, timeout=timeout, headers=headers) as http:
            sending = asyncio.create_task(self._send_steadily(http))
            try:
                yield self
            finally:
                self._stopping = True
                await sending

    async def _send_steadily(self, http: Any) -> None:
        self._stopping = False
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping:
                await self._free.acquire()
                tasks.create_task(self._send(http))
                due = max(due + self._every_s, loop.time() - 1)
                await asyncio.sleep(due - loop.time())

    async def _send(self, http: Any) -> None:
        numbers = [next(self._numbers) for _ in range(self._pairs)]
        batch = [event for number in numbers for event in self._pair(number)] + [dict(event) for event in self.more]
        status = 0
        try:
            async with http.post("/v1/batch", json={"batch": batch, "sentAt": _text(datetime.now(UTC))}) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        finally:
            self._free.release()
        self.statuses[status] += 1
        (self.acknowledged if status == 200 else self.unknown).update(f"t{number}" for number in numbers)
        for number in numbers if status == 200 else ():
            person = f"user-{number % self._people}"
            self._certain[person] = max(self._certain.get(person, -1), number)

    async def send_one(self, batch: list[dict[str, Any]]) -> int:
        """A batch of one's own; returns the status."""
        async with (
            aiohttp.ClientSession(self._isthmus.url, headers={"Authorization": AUTHORIZATION}) as http,
            http.post("/v1/batch", json={"batch": batch}) as answer,
        ):
            return answer.status

    def _pair(self, number: int) -> list[dict[str, Any]]:
        person = f"user-{number % self._people}"
        self._possible[person] = number
        common = {"userId": person, "timestamp": _text(self._start + timedelta(milliseconds=number))}
        said = {"email": f"{person}@example.com"} if self.addresses else {}
        return [
            {**common, "type": "identify", "messageId": f"i{number}", "traits": {"extra": {"n": number}, **said}},
            {
                **common,
                "type": "track",
                "event": "Transaction Created",
                "messageId": f"t{number}",
                "properties": {"n": number},
                "context": {"traits": said},
            },
        ]

    async def check(self) -> None:
        """Every acknowledged transaction is there once and nothing that was never sent; contacts have the last
        number. Of a request without 200 all, some or nothing may be there."""
        rows = await self._isthmus.rows(
            "SELECT message_id, (data->>'n')::int AS n, contact FROM transactions WHERE source <> 'api'"
        )
        found = Counter(row["message_id"] for row in rows)
        assert not (self.acknowledged - found.keys()), f"lost: {len(self.acknowledged - found.keys())}"
        assert not (strangers := found.keys() - self.acknowledged - self.unknown), f"never sent: {strangers}"
        assert max(found.values()) == 1, f"doubled: {found.most_common(3)}"
        contacts = {
            row["ext_ref"]: (row["id"], row["n"])
            for row in await self._isthmus.rows("SELECT id, ext_ref, (embedded->>'n')::int AS n FROM contacts")
            if row["ext_ref"] not in self.apart
        }
        assert self._certain.keys() <= contacts.keys() <= self._possible.keys()
        for person, (_, number) in contacts.items():
            assert self._certain.get(person, -1) <= (number if number is not None else -1) <= self._possible[person]
        for row in (row for row in rows if row["n"] is not None):
            assert row["contact"] == contacts[f"user-{row['n'] % self._people}"][0]


def _text(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
