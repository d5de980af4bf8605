"""The life of one producer: made, used by group commit, given up."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from processor.adapters.kafka.group_commit import Batch, GroupCommit
from processor.errors import UnavailableError

__all__ = ["ProducerSession"]


class ProducerSession:
    """One producer, what it knows of topics, and what is on its way through it."""

    def __init__(
        self,
        producer: Any,
        *,
        timeout_s: float,
        max_bytes: int,
        on_failure: Callable[["ProducerSession", Batch, BaseException], None],
    ) -> None:
        self.producer = producer
        self.topics: dict[str, int] = {}
        """Topic to the number of its partitions."""
        self.commit = GroupCommit(self, timeout_s=timeout_s, max_bytes=max_bytes, on_failure=partial(on_failure, self))

    def create_batch(self) -> Any:
        return self.producer.create_batch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = await self.producer.send_batch(batch, topic, partition=partition)
        return sent

    def leader(self, topic: str, partition: int) -> int | None:
        leader: int | None = self.producer.client.cluster.leader_for_partition(TopicPartition(topic, partition))
        return leader

    async def learn(self, topic: str) -> None:
        """Find the topic's partitions. Lists the topics first: asking for one by name creates it on many brokers."""
        cluster = await self.producer.client.fetch_all_metadata()
        if topic not in cluster.topics():
            raise UnavailableError(f"The topic {topic} is missing: run `isthmus topics`.", "topic_missing")
        self.topics[topic] = len(await self.producer.partitions_for(topic))

    def refresh(self) -> None:
        """Take over what the library has read of topics meanwhile; partitions may only become more."""
        for topic, count in self.topics.items():
            self.topics[topic] = max(count, len(self.producer.client.cluster.partitions_for_topic(topic) or ()))

    @property
    def dead(self) -> bool:
        """The library's sender has ended: nothing would ever be sent again, and nobody would say so."""
        sender = self.producer._sender.sender_task  # noqa: SLF001 - aiokafka 0.14 has no other sign
        return sender is None or sender.done()

    async def close(self, error: UnavailableError) -> None:
        self.commit.close(error)
        # Stopping flushes, which with a frozen broker takes for ever.
        with suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(self.producer.stop(), 2.0)
        with suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(self.producer.client.close(), 1.0)
