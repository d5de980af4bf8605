"""The yardstick of deciding: consume, parse, map a few fields, produce, as one would write it with aiokafka alone.

``python -m bench.loop_naive BOOTSTRAP TOPIC OUT TOTAL``
"""

import asyncio
import sys
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from bench.measuring import BATCH, StopWatch, run


async def _loop(bootstrap: str, topic: str, out: str, total: int) -> None:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=262_144)
    await consumer.start()
    await producer.start()
    watch = StopWatch(total)
    flying: list[asyncio.Future[Any]] = []
    while watch.running:
        found = await consumer.getmany(timeout_ms=250, max_records=BATCH)
        sent: list[asyncio.Future[Any]] = []
        for place, records in found.items():
            sent += await _work(producer, place, records, out)
            watch.add(len(records))
        await asyncio.gather(*flying)  # one poll behind, so that the broker writes while we parse
        flying = sent
    await asyncio.gather(*flying)
    watch.report()
    await consumer.stop()
    await producer.stop()


async def _work(producer: Any, place: TopicPartition, records: list[Any], out: str) -> list["asyncio.Future[Any]"]:
    sent = []
    builder = producer.create_batch()
    for record in records:
        value = orjson.dumps(_mapped(orjson.loads(record.value)))
        if builder.append(key=record.key, value=value, timestamp=None) is None:
            sent.append(await producer.send_batch(builder, out, partition=place.partition))
            builder = producer.create_batch()
            builder.append(key=record.key, value=value, timestamp=None)
    sent.append(await producer.send_batch(builder, out, partition=place.partition))
    return sent


def _mapped(event: dict[str, Any]) -> dict[str, Any]:
    traits = event.get("traits") or {}
    return {
        "extRef": event.get("userId"),
        "email": traits.get("email"),
        "firstName": traits.get("firstName"),
        "lastName": traits.get("lastName"),
        "phone": traits.get("phone"),
        "language": traits.get("language") or "EN",
        "messageId": event["messageId"],
    }


if __name__ == "__main__":
    run(_loop(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
