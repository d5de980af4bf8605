"""Ingress on a real broker: what it answers while that is away, frozen or refuses, and what is there afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from ingress.app import build_app
from processor.adapters.kafka.producer import KafkaPublisher
from processor.domain.rules import Rules
from processor.errors import RejectedError, UnavailableError
from processor.ports.publisher import Outgoing
from processor.ports.revisions import Compiled, HttpSource
from processor.settings import Settings

pytestmark = pytest.mark.integration


class Current:
    current = Compiled(1, Rules(1, {}, {}, ()), (HttpSource("web", ("wk_secret",)),), (), {})


async def make_topics(bootstrap: str, prefix: str, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    names = ("segment.events", "segment.rejected")
    await admin.create_topics([NewTopic(prefix + name, 2, 1, topic_configs=configs) for name in names])
    await admin.close()


async def message_ids(bootstrap: str, topic: str) -> list[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in (0, 1)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    found = []
    for partition in (partition for partition in partitions if ends[partition]):
        while await consumer.position(partition) < ends[partition]:
            batches = await consumer.getmany(partition, timeout_ms=500)
            found += [orjson.loads(record.value)["messageId"] for record in batches.get(partition, [])]
    await consumer.stop()
    return found


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[TestClient[Any, Any]]:
    publisher = KafkaPublisher(settings)
    await publisher.start()
    try:
        async with TestClient(TestServer(build_app(publisher, Current(), settings))) as client:
            yield client
    finally:
        await publisher.stop()


async def send(client: TestClient[Any, Any], message_id: str) -> tuple[int, float]:
    """One track call: its status, and the seconds that it took."""
    started = time.monotonic()
    body = {"writeKey": "wk_secret", "userId": message_id, "event": "E", "messageId": message_id}
    async with client.post("/v1/track", json=body) as response:
        assert (await response.json())["success"] is (response.status == 200)
        return response.status, time.monotonic() - started


async def send_until_accepted(client: TestClient[Any, Any], message_id: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while (await send(client, message_id))[0] != 200:
        assert time.monotonic() < deadline, "still refused"
        await asyncio.sleep(0.3)


async def test_frozen_broker(own_broker: Any) -> None:
    """Frozen: 503 within 3 s, at once after the first; thawed: accepted again, and nothing acknowledged is missing."""
    await make_topics(own_broker.bootstrap, "")
    async with serving(Settings(kafka=own_broker.bootstrap)) as client:
        acknowledged = [f"before-{n}" for n in range(20)]
        assert {status for status, _ in await asyncio.gather(*(send(client, name) for name in acknowledged))} == {200}
        own_broker.freeze()
        try:
            answers = await asyncio.gather(*(send(client, f"frozen-{n}") for n in range(20)))
            assert {status for status, _ in answers} == {503}
            assert max(seconds for _, seconds in answers) < 3.2
            status, seconds = await send(client, "later")
            assert status == 503
            assert seconds < 0.3
        finally:
            own_broker.thaw()
        await send_until_accepted(client, "after", 20)
        found = await message_ids(own_broker.bootstrap, "segment.events")
        assert {*acknowledged, "after"} <= set(found)


async def test_killed_broker(own_broker: Any) -> None:
    """Killed: 503 within 3 s; started again with its topics: accepted again."""
    await make_topics(own_broker.bootstrap, "")
    async with serving(Settings(kafka=own_broker.bootstrap)) as client:
        assert (await send(client, "before"))[0] == 200
        own_broker.kill()
        for n in range(3):
            status, seconds = await send(client, f"down-{n}")
            assert status == 503
            assert seconds < 3.2
        own_broker.restart()
        if type(own_broker).__name__ == "LocalTansu":  # its topics end with it
            await make_topics(own_broker.bootstrap, "")
        await send_until_accepted(client, "after", 60)


async def test_no_broker() -> None:
    """Started without a broker: 503 within 3 s, for as long as there is none."""
    async with serving(Settings(kafka="127.0.0.1:9")) as client:
        for n in range(3):
            status, seconds = await send(client, str(n))
            assert status == 503
            assert seconds < 3.2


async def test_missing_topic(broker: Any, topic_prefix: str) -> None:
    """A topic that nobody made is not made by us: 503 that names the command; once it is there, accepted."""
    settings = Settings(kafka=broker.bootstrap, topic_prefix=topic_prefix)
    async with serving(settings) as client:
        body = {"writeKey": "wk_secret", "userId": "u", "event": "E"}
        async with client.post("/v1/track", json=body) as response:
            assert response.status == 503
            assert "isthmus topics" in (await response.json())["message"]
        await make_topics(broker.bootstrap, topic_prefix)
        await send_until_accepted(client, "m", 10)


async def test_topic_that_allows_less(broker: Any, topic_prefix: str) -> None:
    """A record that only the broker finds too large is refused, alone; the next ones pass through a new producer."""
    if broker.kind == "tansu":
        pytest.skip("Tansu does not hold a topic to its max.message.bytes")
    await make_topics(broker.bootstrap, topic_prefix, **{"max.message.bytes": "20000"})
    publisher = KafkaPublisher(Settings(kafka=broker.bootstrap))
    await publisher.start()
    topic = topic_prefix + "segment.events"
    try:
        with pytest.raises(RejectedError) as caught:
            await publisher.publish(topic, [Outgoing(b"k", b"x" * 30_000, ())])
        assert caught.value.code == "too_large"
        await publisher.publish(topic, [Outgoing(b"k", b'{"messageId":"m"}', ())])
        many = [Outgoing(b"k", orjson.dumps({"messageId": str(n), "x": "x" * 900}), ()) for n in range(100)]
        for _ in range(10):
            try:
                await publisher.publish(topic, many)
                break
            except UnavailableError:
                continue
        assert {str(n) for n in range(100)} <= set(await message_ids(broker.bootstrap, topic))
    finally:
        await publisher.stop()
