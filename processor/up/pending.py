"""How many acknowledged records are not yet applied: the broker's ends against ``progress``."""

from collections.abc import Iterable

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.adapters.postgres.pool import LOST
from processor.errors import UnavailableError

__all__ = ["behind", "pending_records"]


def behind(ends: dict[tuple[str, int], int], progress: Iterable[tuple[str, int, int]]) -> int:
    """Records between the slowest service's next offset and the end, over all partitions.

    ``progress``: topic, partition, next offset, a row a service. A partition without a row is wholly pending.
    """
    reached: dict[tuple[str, int], int] = {}
    for topic, partition, offset in progress:
        key = (topic, partition)
        reached[key] = min(offset, reached.get(key, offset))
    return sum(max(0, end - reached.get(key, 0)) for key, end in ends.items())


async def pending_records(kafka: str, dsn: str, topics: Iterable[str]) -> int:
    """Records on ``topics`` that some service has not applied. Raises ``UnavailableError`` when it cannot be known."""
    wanted = list(topics)
    try:
        ends = await _ends(kafka, wanted)
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            rows = await connection.fetch(
                "SELECT topic, partition, next_offset FROM progress WHERE topic = ANY($1)", wanted, timeout=5
            )
        finally:
            await connection.close(timeout=5)
    except (KafkaError, asyncpg.PostgresError, *LOST, OSError, TimeoutError) as error:
        raise UnavailableError(f"what is pending cannot be known: {type(error).__name__}") from error
    return behind(ends, [(row["topic"], row["partition"], row["next_offset"]) for row in rows])


async def _ends(kafka: str, topics: list[str]) -> dict[tuple[str, int], int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, request_timeout_ms=5_000)
    try:
        await consumer.start()
        await consumer.topics()
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if len({partition.topic for partition in partitions}) < len(topics):
            raise UnavailableError("what is pending cannot be known: a topic is missing")
        found = await consumer.end_offsets(partitions)
        return {(key.topic, key.partition): end for key, end in found.items()}
    finally:
        await consumer.stop()
