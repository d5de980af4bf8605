"""Records of other systems, by their own clients: on our topic, and on topics that the document names."""

import asyncio
import json
import time
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from support.java_producer import produce

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

WEB = "sources: [{id: web, write_key: wk_end_to_end_4711}]"
SHOP = """
  - id: shop
    topic: TOPIC
    start: START
    event:
      - when: {jmespath: "status == 'paid'"}
        event: {type: track, event: Transaction Created, userId: {"@path": $.who}, messageId: {"@path": $.order}}
      - when: {jmespath: "status == 'known'"}
        event: {type: identify, userId: {"@path": $.who}, messageId: {"@path": $.order}}
"""


def named(system: Any, topic: str, start: str = "latest") -> str:
    """The tests' document, with one more source."""
    sources = "sources:\n  - {id: web, write_key: wk_end_to_end_4711}" + SHOP
    document: str = system.document
    assert WEB in document
    return document.replace(WEB, sources.rstrip().replace("TOPIC", topic).replace("START", start))


async def create(system: Any, topic: str, partitions: int = 2) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    await admin.close()


async def send(system: Any, topic: str, *records: object) -> None:
    async with AIOKafkaProducer(bootstrap_servers=system.bootstrap) as producer:
        for record in records:
            await producer.send_and_wait(topic, orjson.dumps(record))


async def people(system: Any) -> set[str]:
    return {row["ext_ref"] for row in await system.db.fetch("SELECT ext_ref FROM contacts")}


async def known(system: Any, *who: str, within_s: float = 20) -> None:
    async def there() -> bool:
        return set(who) <= await people(system)

    await system.until(there, within_s, f"{who} are there")


async def subscribed(system: Any, topic: str) -> None:
    """Return when the running service has a place on that topic."""

    async def there() -> bool:
        return bool(await system.db.fetchval("SELECT count(*) FROM progress WHERE topic = $1 AND epoch > 0", topic))

    await system.until(there, 20, f"{topic} is read")


def known_as(who: str, order: object = 1) -> dict[str, object]:
    return {"status": "known", "who": who, "order": order}


async def test_a_topic_follows_the_document(system: Any, topic_prefix: str) -> None:
    """Named: read within two seconds of the revision, from what comes after; no longer named: not read."""
    topic = f"{topic_prefix}theirs.orders"
    await create(system, topic)
    await send(system, topic, known_as("history"))
    await system.apply(named(system, topic))
    applied = time.monotonic()
    await subscribed(system, topic)
    took = time.monotonic() - applied
    await send(
        system,
        topic,
        known_as("ann"),
        {"status": "open"},
        {"status": "paid", "who": "bob", "order": 7},
        {"status": "paid"},
    )
    await known(system, "ann", "bob")
    assert "history" not in await people(system)
    dead = await system.db.fetch("SELECT source, code FROM dead_letters WHERE topic = $1", topic)
    assert [tuple(row) for row in dead] == [("shop", "missing_id")]
    totals = await system.db.fetch(
        "SELECT sum(applied) a, sum(no_match) n, sum(dead) d FROM ledger WHERE source = 'shop'"
    )
    assert tuple(totals[0]) == (2, 1, 1)
    await system.apply(system.document)
    await asyncio.sleep(3)
    await send(system, topic, known_as("unwanted"))
    async with system.http.post("/v1/identify", json={"userId": "own", "writeKey": system.write_key}) as answer:
        assert answer.status == 200
    await known(system, "own")
    await asyncio.sleep(1)
    assert "unwanted" not in await people(system)
    assert took < 4, "two seconds, and what a group and the polls of this test take"


async def test_earliest_and_missing(system: Any, topic_prefix: str) -> None:
    """`earliest` reads what is there. A topic that is missing stops nobody, and is read when it is made."""
    topic = f"{topic_prefix}later.orders"
    await system.apply(named(system, topic, "latest"))
    await asyncio.sleep(3)
    async with system.http.post("/v1/identify", json={"userId": "own", "writeKey": system.write_key}) as answer:
        assert answer.status == 200
    await known(system, "own")
    assert b'"kind":"topic_missing"' in (system.folder / "directory.log").read_bytes().replace(b" ", b"")
    await create(system, topic)
    await send(system, topic, known_as("first"))
    await known(system, "first")
    full = f"{topic_prefix}full.orders"
    await create(system, full)
    await send(system, full, known_as("before"))
    await system.apply(named(system, full, "earliest"))
    await known(system, "before")


async def test_a_deleted_topic(system: Any, topic_prefix: str, broker: Any) -> None:
    """Deleted under the running service: our own goes on. Made again: read from its first record."""
    if broker.kind == "tansu":
        pytest.skip("Tansu does not delete topics")
    topic = f"{topic_prefix}short.lived"
    await create(system, topic)
    await system.apply(named(system, topic))
    await subscribed(system, topic)
    await send(system, topic, known_as("before"))
    await known(system, "before")
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()
    for number in range(5):
        body = {"userId": f"own-{number}", "writeKey": system.write_key}
        async with system.http.post("/v1/identify", json=body) as answer:
            assert answer.status == 200
        await asyncio.sleep(1.5)
    await known(system, *(f"own-{number}" for number in range(5)))
    await create(system, topic)
    await send(system, topic, known_as("again"))
    await known(system, "again", within_s=30)


async def test_a_java_producer(system: Any, topic_prefix: str) -> None:
    """kafka-clients, as anybody writes it: no key, no headers. On our topic an event, on theirs what is made of it."""
    topic = f"{topic_prefix}java.orders"
    await create(system, topic)
    await system.apply(named(system, topic))
    await subscribed(system, topic)
    event = {"type": "identify", "userId": "java-own", "traits": {"extra": {"a": "1"}}}
    await asyncio.to_thread(produce, system.bootstrap, system.events, [f"send {json.dumps(event)}", "send no json"])
    await asyncio.to_thread(produce, system.bootstrap, topic, [f"send {json.dumps(known_as('java-theirs'))}"])
    await known(system, "java-own", "java-theirs")
    sources = await system.db.fetch("SELECT source, sum(applied) a, sum(dead) d FROM ledger GROUP BY source ORDER BY 1")
    assert [tuple(row) for row in sources] == [("kafka", 1, 1), ("shop", 1, 0)]


async def test_aborted_transactions(system: Any, topic_prefix: str, broker: Any) -> None:
    """What a producer took back is not applied, on neither kind of topic; what it committed is, once."""
    if broker.kind == "tansu":
        pytest.skip("Tansu has no transactions")
    topic = f"{topic_prefix}tx.orders"
    await create(system, topic)
    await system.apply(named(system, topic))
    await subscribed(system, topic)
    for where, who in ((topic, known_as), (system.events, lambda name: {"type": "identify", "userId": name})):
        lines = [
            "begin",
            f"send {json.dumps(who(f'taken-back-{where == topic}'))}",
            "abort",
            "begin",
            f"send {json.dumps(who(f'meant-{where == topic}'))}",
            "commit",
        ]
        await asyncio.to_thread(produce, system.bootstrap, where, lines, f"tx-{topic_prefix}")
    await known(system, "meant-True", "meant-False")
    await asyncio.sleep(1)
    assert await people(system) == {"meant-True", "meant-False"}

    async def nothing_pending() -> bool:
        lines = [orjson.loads(line) for line in (system.folder / "directory.log").read_bytes().splitlines()]
        reports = [line for line in lines if line["event"] == "service_reported" and topic in line["lag"]]
        return bool(reports) and not any(number for lag in reports[-1]["lag"].values() for number in lag.values())

    await system.until(nothing_pending, 10, "the ends of transactions are no lag")
