"""The webhook on a real broker: large arrays arrive whole, and Segment has its answer in time whatever Kafka does."""

import asyncio
import io
import time
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiokafka import AIOKafkaConsumer, TopicPartition
from support.intake_rig import DOCUMENT, MARKS, signature

from ingress.app import add_routes
from processor.adapters.kafka.producer import KafkaPublisher
from processor.adapters.kafka.topics import ensure_topics
from processor.config import Secrets, check, compile_document
from processor.settings import Settings

pytestmark = pytest.mark.integration
PATH = "/webhooks/segment/web"
ITEMS = 2_000


async def message_ids(settings: Settings) -> list[str]:
    topic = settings.topic("segment.events")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(settings.topic_partitions)]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    found: list[str] = []
    for place in (place for place in places if ends[place]):
        while await consumer.position(place) < ends[place]:
            batches = await consumer.getmany(place, timeout_ms=500)
            found += [orjson.loads(record.value)["messageId"] for record in batches.get(place, [])]
    await consumer.stop()
    return found


async def test_arrays_and_a_frozen_broker(own_broker: Any, tmp_path: Any) -> None:
    """Every element once; with Kafka frozen 503 within what the sender waits; thawed, the repeat is taken."""
    settings = Settings(kafka=own_broker.bootstrap, topic_partitions=4)
    await ensure_topics(settings)

    class Revision:
        current = compile_document(check(DOCUMENT), 1, secrets=Secrets({}, tmp_path), marks=MARKS)

    publisher = KafkaPublisher(settings)
    await publisher.start()
    app = web.Application()
    add_routes(app, publisher, Revision(), settings)
    elements = [
        orjson.dumps({"type": "page", "userId": f"u{n}", "messageId": f"m{n}", "properties": {"x": "y" * 1_500}})
        for n in range(ITEMS)
    ]
    body = b"[" + b",".join(elements) + b"]"
    headers = {**signature(elements[0]), "X-Isthmus-Batch-Token": "batch token"}
    try:
        async with TestClient(TestServer(app)) as client:

            async def post() -> tuple[int, float]:
                started = time.monotonic()
                async with client.post(PATH, data=io.BytesIO(body), headers=headers) as answer:
                    await answer.read()
                    return answer.status, time.monotonic() - started

            assert (await post())[0] == 200
            assert sorted(await message_ids(settings)) == sorted(f"m{n}" for n in range(ITEMS))
            own_broker.freeze()
            try:
                statuses = [await post(), await post()]
            finally:
                own_broker.thaw()
            assert [status for status, _ in statuses] == [503, 503]
            assert max(seconds for _, seconds in statuses) < 4.5, "Segment waits five seconds"
            deadline = time.monotonic() + 30
            while (await post())[0] != 200:
                assert time.monotonic() < deadline, "still refused"
                await asyncio.sleep(0.3)
            assert set(await message_ids(settings)) == {f"m{n}" for n in range(ITEMS)}
    finally:
        await publisher.stop()
