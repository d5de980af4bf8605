"""The bench's events: half a kilobyte each, as Segment's SDKs send them, and a topic full of them.

An event is a template: ``@M`` the messageId, ``@P`` the person's number, ``@T`` the time. ``wrk/fresh.lua`` fills in
the same templates, so that the load of every step is the same.
"""

import asyncio
import random
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import orjson
from aiokafka import AIOKafkaProducer

from processor.domain.directory.command import Value

__all__ = [
    "DIRECTORY",
    "DOCUMENT",
    "IDENTIFY",
    "PAGE",
    "PEOPLE",
    "PURCHASE",
    "RULES",
    "WRITE_KEY",
    "authorization",
    "batch_of",
    "document",
    "fill",
    "now",
    "person_of",
    "preload",
]

PEOPLE = 200_000
WRITE_KEY = "bench-write-key-0123456789abcdef"
DIRECTORY = "POOL_bench"
RULES = (("extRef",), ("email",), ("phone",))
"""The three merge rules of the steps that have three; one rule is the first of them."""
_DOCUMENT = f"""\
version: 1
directories:
  - {{id: {DIRECTORY}, name: Bench, merge_rules: @R}}
sources:
  - {{id: web, write_key: "{WRITE_KEY}"}}
connections:
  - name: crm
    sources: [web]
    mappings:
      - name: contact
        action: addContactToXmd
        fields:
          directoryId: {DIRECTORY}
          embeddedData:
            plan: {{"@path": "$.traits.plan"}}
            city: {{"@path": "$.traits.address.city"}}
      - name: transaction
        action: upsertContactTransaction
        fields:
          directoryId: {DIRECTORY}
          transactionData: {{"@path": "$.properties"}}
"""


def document(rules: Sequence[Sequence[str]]) -> str:
    """The bench's configuration, by these merge rules."""
    return _DOCUMENT.replace("@R", orjson.dumps(rules).decode())


DOCUMENT = document(RULES[:1])
_CONTEXT = {
    "library": {"name": "analytics-python", "version": "2.3.4"},
    "ip": "203.0.113.7",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
}
_STAMPED = {"messageId": "@M", "userId": "user-@P", "timestamp": "@T", "context": _CONTEXT}


def _template(type_: str, **fields: Any) -> str:
    return orjson.dumps({"type": type_, **_STAMPED, **fields, "integrations": {}}).decode()


IDENTIFY = _template(
    "identify",
    traits={
        "email": "user-@P@example.com",
        "firstName": "Ann",
        "lastName": "Lee-@P",
        "phone": "+4930@P",
        "plan": "pro",
        "address": {"city": "Berlin", "country": "DE"},
    },
)
PAGE = _template(
    "page",
    name="Pricing",
    properties={
        "url": "https://www.example.com/pricing?from=@P",
        "path": "/pricing",
        "referrer": "",
        "title": "Pricing plans",
    },
)
PURCHASE = _template(
    "track",
    event="Transaction Created",
    properties={"total": 129.9, "currency": "EUR", "orderId": "order-@M", "items": 3, "store": "Berlin Mitte"},
)


def authorization() -> str:
    return "Basic " + b64encode(f"{WRITE_KEY}:".encode()).decode()


def fill(template: str, message: str, person: int, time: str) -> str:
    return template.replace("@M", message).replace("@P", str(person)).replace("@T", time)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def batch_of(templates: Sequence[str], name: str, count: int) -> bytes:
    """The body of one /v1/batch: the templates in turn, each for a person by chance."""
    time = now()
    people = random.sample(range(PEOPLE), count)
    events = (fill(templates[n % len(templates)], f"{name}-{n}", person, time) for n, person in enumerate(people))
    return f'{{"batch":[{",".join(events)}],"sentAt":"{time}"}}'.encode()


def person_of(person: int) -> dict[str, Value]:
    """What the bench's mapping makes of an identify, as fields of a contact."""
    return {
        "extRef": f"user-{person}",
        "email": f"user-{person}@example.com",
        "phone": f"+4930{person}",
        "firstName": "Ann",
        "lastName": f"Lee-{person}",
        "embeddedData.plan": "pro",
        "embeddedData.city": "Berlin",
    }


def _records(count: int, hot: float = 0.0) -> Iterator[tuple[int, bytes, bytes, list[tuple[str, bytes]]]]:
    """(partition, key, value, headers) as ingress writes them: every second one an identify, the others a page.

    ``hot``: the share of one person; the others are met as often as one another.
    """
    chance = random.Random(1)
    time, headers = "", []
    for number in range(count):
        if number % 100 == 0:
            time = now()
            headers = [("source", b"web"), ("received-at", time.encode())]
        person = 0 if hot and chance.random() < hot else chance.randrange(PEOPLE)
        text = fill(PAGE if number % 2 else IDENTIFY, f"preloaded-{number:024d}", person, time)
        stamps = f',"originalTimestamp":"{time}","sentAt":"{time}","receivedAt":"{time}"}}'
        key = f"user-{person}".encode()
        yield crc32(key) % 8, key, (text[:-1] + stamps).encode(), headers


async def preload(bootstrap: str, topic: str, count: int, hot: float = 0.0) -> int:
    """Fill a topic of eight partitions; how many people its identify calls speak of."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=131_072)
    await producer.start()
    builders: dict[int, Any] = {}
    sent: list[asyncio.Future[Any]] = []
    people: set[bytes] = set()
    try:
        for number, (partition, key, value, headers) in enumerate(_records(count, hot)):
            if number % 2 == 0:
                people.add(key)
            builder = builders.get(partition)
            if builder is None or builder.append(key=key, value=value, timestamp=None, headers=headers) is None:
                if builder is not None:
                    sent.append(await producer.send_batch(builder, topic, partition=partition))
                builder = builders[partition] = producer.create_batch()
                builder.append(key=key, value=value, timestamp=None, headers=headers)
        for partition, builder in builders.items():
            sent.append(await producer.send_batch(builder, topic, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return len(people)
