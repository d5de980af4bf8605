"""Another system's topic under several processes that are killed while the document changes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from support.load import DOCUMENT, Load
from support.running import Isthmus, until

PARTITIONS = 4
SOURCE = "sources: [{id: web, write_key: wk_faults_4711}"
SHOP = (
    ', {id: shop, topic: TOPIC, event: {type: track, event: Transaction Created, userId: {"@path": "$.who"},'
    ' messageId: {"@path": "$.order"}, properties: {"@path": "$."}}}'
)


async def create(isthmus: Isthmus, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=isthmus.settings.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()


async def send(isthmus: Isthmus, topic: str, orders: range) -> None:
    async with AIOKafkaProducer(bootstrap_servers=isthmus.settings.kafka) as producer:
        for order in orders:
            value = orjson.dumps({"who": f"shop-{order % 50}", "order": order})
            await producer.send(topic, value, partition=order % PARTITIONS)
        await producer.flush()


async def test_each_record_once_while_everything_changes(
    start: Any, kafka: Any, database: str, figure: Callable[[str], None]
) -> None:
    """Two processes share a topic that is named while they run; one is killed in the middle of it, the topic is taken
    out of the document and named again: what came after it was first named is applied once, and nothing before it."""
    assert SOURCE in DOCUMENT
    isthmus = await start(kafka, database)
    topic = isthmus.settings.topic("theirs")
    await create(isthmus, topic)
    await send(isthmus, topic, range(1_000, 1_100))
    with_shop = DOCUMENT.replace(SOURCE, SOURCE + SHOP.replace("TOPIC", topic))
    ingress, first, second = isthmus.keep("ingress"), isthmus.keep("directory"), isthmus.keep("directory")
    await isthmus.ready(ingress, first, second)

    async def begun() -> bool:
        sql = "SELECT count(*) n FROM progress WHERE topic = $1 AND epoch > 0"
        return bool((await isthmus.rows(sql, topic))[0]["n"] == PARTITIONS)

    async with Load(isthmus).flowing() as load:
        await isthmus.apply(with_shop)
        applied = time.monotonic()
        await until(begun, 20, "the topic is read")
        took = time.monotonic() - applied
        await send(isthmus, topic, range(300))
        first.now.kill()
        await send(isthmus, topic, range(300, 600))
        await asyncio.sleep(1)
        await isthmus.apply(DOCUMENT)
        await asyncio.sleep(3)
        await send(isthmus, topic, range(600, 900))
        await asyncio.sleep(1)
        await isthmus.apply(with_shop)

        async def all_there() -> bool:
            sql = "SELECT count(*) n FROM transactions WHERE message_id LIKE 'shop:%'"
            return bool((await isthmus.rows(sql))[0]["n"] >= 900)

        await until(all_there, 30, "every order of the shop")
    await isthmus.all_applied()
    figure(f"read {took:.1f} s after the revision")
    load.acknowledged |= {f"shop:track:Transaction Created:{order}" for order in range(900)}
    load.apart |= {f"shop-{number}" for number in range(50)}
    await load.check()
    await isthmus.ledger()
    rows = await isthmus.rows("SELECT sum(applied) a, sum(dead) d, sum(expired) e FROM ledger WHERE topic = $1", topic)
    assert tuple(rows[0]) == (900, 0, 0)
    owners = {
        line["instance"] for line in isthmus.lines() if line["event"] == "batch_applied" and line["topic"] == topic
    }
    assert len(owners) >= 2, "both had a share of it"
