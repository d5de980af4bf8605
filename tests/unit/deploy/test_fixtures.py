"""The shared fixtures, on whatever broker and database this session uses."""

import os

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from support import brokers, databases
from support.brokers import Broker, LocalTansu
from support.databases import LocalPostgres
from support.local_kafka import LocalKafka, brokers_seen


def test_a_named_broker_comes_first() -> None:
    """An address is taken as it is; `tansu` and `kafka` force one of ours."""
    assert brokers.choose({"ISTHMUS_TEST_KAFKA": "b:9092"}).address == "b:9092"
    assert brokers.choose({"ISTHMUS_TEST_KAFKA": "tansu"}).words.startswith("Tansu")
    assert brokers.choose({"ISTHMUS_TEST_KAFKA": "kafka"}).words.startswith("Apache Kafka")


def test_a_named_database_comes_first_and_shows_no_password() -> None:
    """The header stands in public logs."""
    choice = databases.choose({"ISTHMUS_TEST_POSTGRES": "postgresql://me:hidden@db/x"})
    assert (choice.kind, "db" in choice.words, "hidden" in choice.words) == ("external", True, False)


@pytest.mark.integration
async def test_a_topic_of_the_tests_own(broker: Broker, topic_prefix: str) -> None:
    """Create, produce, consume."""
    topic = f"{topic_prefix}one"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        await producer.send_and_wait(topic, b"value")
    reading = AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    async with reading as consumer:
        assert (await consumer.getone()).value == b"value"


@pytest.mark.faults
def test_a_broker_of_the_tests_own_can_be_killed(own_broker: LocalKafka | LocalTansu) -> None:
    """And comes back on the same port."""
    host, port = own_broker.bootstrap.split(":")
    own_broker.kill()
    assert brokers_seen(host, int(port), timeout_s=0.3) == 0
    own_broker.restart()
    assert brokers_seen(host, int(port)) == 1


@pytest.mark.integration
@pytest.mark.parametrize("time", [1, 2])
async def test_a_database_of_the_tests_own(database: str, time: int) -> None:
    """Each finds it migrated and without what the other wrote."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("CREATE TABLE mine (x int)")
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables > 1, f"try {time}"
    finally:
        await connection.close()


@pytest.mark.faults
@pytest.mark.skipif(bool(os.environ.get("ISTHMUS_TEST_POSTGRES")), reason="another server is named")
async def test_a_committed_row_survives_a_kill(own_postgres: LocalPostgres) -> None:
    """fsync is off, commits are not: what was acknowledged is there after SIGKILL and after a restart."""
    for end in (own_postgres.kill, own_postgres.stop):
        await databases.execute(
            own_postgres.dsn, "CREATE TABLE IF NOT EXISTS kept (x int); INSERT INTO kept VALUES (1)"
        )
        end()
        own_postgres.start()
    connection = await asyncpg.connect(own_postgres.dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 2
    finally:
        await connection.close()
