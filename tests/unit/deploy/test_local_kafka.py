"""A real Apache Kafka by deploy/kafka, on its own whatever broker the other tests use."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError
from support.lacking import lacking
from support.local_kafka import LocalKafka, brokers_seen, kafka

pytestmark = pytest.mark.integration


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalKafka]:
    missing = kafka.lacking()
    if missing:
        lacking(f"A local Apache Kafka needs {missing}.")
    running = LocalKafka(tmp_path)
    running.start()
    yield running
    running.stop()


async def test_a_record_goes_in_and_comes_out(local: LocalKafka) -> None:
    """Topic by the admin client, one acknowledged record, read from the beginning; then once more after a kill."""
    admin = AIOKafkaAdminClient(bootstrap_servers=local.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("there", 1, 1)])
        async with AIOKafkaProducer(bootstrap_servers=local.bootstrap, enable_idempotence=True) as producer:
            sent = await producer.send_and_wait("there", b"value", key=b"key")
        assert sent.offset == 0
        local.kill()
        local.restart()
        reading = AIOKafkaConsumer("there", bootstrap_servers=local.bootstrap, auto_offset_reset="earliest")
        async with reading as consumer:
            record = await consumer.getone()
        assert (record.key, record.value) == (b"key", b"value")
    finally:
        await admin.close()


async def test_an_unknown_topic_stays_unknown(local: LocalKafka) -> None:
    """A producer that asks for a topic does not create it."""
    producer = AIOKafkaProducer(bootstrap_servers=local.bootstrap, request_timeout_ms=1_000)
    async with producer:
        with pytest.raises((UnknownTopicOrPartitionError, KafkaTimeoutError)):
            await producer.send_and_wait("nowhere", b"value")
    admin = AIOKafkaAdminClient(bootstrap_servers=local.bootstrap)
    await admin.start()
    try:
        assert "nowhere" not in await admin.list_topics()
    finally:
        await admin.close()


def test_a_frozen_node_answers_again_when_it_is_thawed(local: LocalKafka) -> None:
    """Frozen it is alive and silent."""
    local.freeze()
    assert local.alive(0)
    assert brokers_seen("127.0.0.1", local.nodes[0].port, timeout_s=0.3) == 0
    local.thaw()
    deadline = time.monotonic() + 10
    while brokers_seen("127.0.0.1", local.nodes[0].port, timeout_s=5) != 1:  # frozen for long it has to register anew
        assert time.monotonic() < deadline
        time.sleep(0.1)
