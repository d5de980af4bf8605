"""The contract of `Publisher`, held by the one made of lists and the one on a real broker."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processor.adapters.kafka.producer import KafkaPublisher
from processor.adapters.memory.publisher import MemoryPublisher
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing, Publisher
from processor.settings import Settings

HEADERS = (("source", b"web"), ("received-at", b"2024-05-01T12:00:10.000Z"))


class Held(list[tuple[str, bytes]]):
    """Headers that can be watched for being let go."""


@dataclass
class Subject:
    """A publisher, a topic for it, and a way to read back what is on that topic, partition by partition."""

    publisher: Publisher
    topic: str
    read: Callable[[], Coroutine[Any, Any, Sequence[Outgoing]]]


async def read_topic(bootstrap: str, topic: str) -> list[Outgoing]:
    """Everything that stands on a topic now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer._client._wait_on_metadata(topic)
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Outgoing] = []
        for partition in (partition for partition in partitions if ends[partition]):
            while await consumer.position(partition) < ends[partition]:
                records = await consumer.getmany(partition, timeout_ms=500)
                found += [Outgoing(record.key, record.value, record.headers) for record in records.get(partition, [])]
        return found
    finally:
        await consumer.stop()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        memory = MemoryPublisher()

        async def read_memory() -> Sequence[Outgoing]:
            return memory.records["t"]

        yield Subject(memory, "t", read_memory)
        return
    broker = request.getfixturevalue("broker")
    topic = request.getfixturevalue("topic_prefix") + "published"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 3, 1)])
    await admin.close()
    publisher = KafkaPublisher(Settings(kafka=broker.bootstrap))
    await publisher.start()
    yield Subject(publisher, topic, lambda: read_topic(broker.bootstrap, topic))
    await publisher.stop()


def records(key: bytes, count: int, size: int = 10) -> list[Outgoing]:
    return [Outgoing(key, b"%05d" % number + b"x" * size, HEADERS) for number in range(count)]


async def test_ready(subject: Subject) -> None:
    """With the broker there, it says so."""
    await subject.publisher.ready()


async def test_what_is_acknowledged_is_there(subject: Subject) -> None:
    """Key, value and headers of each record stand on the topic when `publish` has returned."""
    await subject.publisher.publish(subject.topic, records(b"k", 1))
    (found,) = await subject.read()
    assert (found.key, found.value, tuple(found.headers)) == (b"k", b"00000" + b"x" * 10, HEADERS)


async def test_nothing(subject: Subject) -> None:
    """No records, no write, no error."""
    await subject.publisher.publish(subject.topic, [])
    assert await subject.read() == []


async def test_order_of_a_key(subject: Subject) -> None:
    """Records of one key keep their order, over many batches and beside other keys."""
    for start in range(0, 3_000, 1_000):
        part = [Outgoing(b"k%d" % (n % 7), b"%05d" % n + b"x" * 2_000, ()) for n in range(start, start + 1_000)]
        await subject.publisher.publish(subject.topic, part)
    found = await subject.read()
    assert len(found) == 3_000
    for key in {record.key for record in found}:
        values = [record.value for record in found if record.key == key]
        assert values == sorted(values)


async def test_many_at_once(subject: Subject) -> None:
    """Concurrent calls, large and small, are each acknowledged once."""
    await asyncio.gather(
        *(subject.publisher.publish(subject.topic, records(b"c%d" % n, 1 + n % 30, 3_000)) for n in range(100))
    )
    assert len(await subject.read()) == sum(1 + n % 30 for n in range(100))


async def test_too_large(subject: Subject) -> None:
    """One record over the limit: `too_large`, it and what follows are not written, and the next call passes."""
    too_large = Outgoing(b"k", b"x" * (subject.publisher.max_record_bytes + 1), ())
    with pytest.raises(RejectedError) as caught:
        await subject.publisher.publish(subject.topic, [too_large, *records(b"k", 3)])
    assert caught.value.code == "too_large"
    await subject.publisher.publish(subject.topic, records(b"k", 2))
    assert len(await subject.read()) == 2


async def test_records_are_taken_one_by_one(subject: Subject) -> None:
    """They may come from a generator, nothing holds them while the acknowledgement is awaited, and its error passes."""
    await subject.publisher.publish(subject.topic, records(b"k", 1))
    given: list[weakref.ref[Held]] = []

    def stream() -> Iterator[Outgoing]:
        for record in records(b"k", 100):
            headers = Held(HEADERS)
            given.append(weakref.ref(headers))
            yield Outgoing(record.key, record.value, headers)

    waiting = asyncio.create_task(subject.publisher.publish(subject.topic, stream()))
    await asyncio.sleep(0)
    if isinstance(subject.publisher, KafkaPublisher):
        assert not waiting.done()
        assert len(given) == 100
        assert not any(ref() for ref in given)
    await waiting

    def broken() -> Iterator[Outgoing]:
        yield from records(b"k", 1)
        raise RejectedError("bad_text", "of the caller's own")

    with pytest.raises(RejectedError, match="of the caller's own"):
        await subject.publisher.publish(subject.topic, broken())
    assert len(await subject.read()) >= 101


async def test_the_largest(subject: Subject) -> None:
    """A record of just the limit is written."""
    limit = subject.publisher.max_record_bytes
    await subject.publisher.publish(subject.topic, [Outgoing(b"k", b"x" * (limit - 1), ())])
    assert len(await subject.read()) == 1


async def test_one_gives_up(subject: Subject) -> None:
    """A caller that is cancelled takes nobody's acknowledgement away."""
    given_up = asyncio.create_task(subject.publisher.publish(subject.topic, records(b"a", 1)))
    others = [asyncio.create_task(subject.publisher.publish(subject.topic, records(b"a", 1))) for _ in range(5)]
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(*others)
    assert len(await subject.read()) >= 5
