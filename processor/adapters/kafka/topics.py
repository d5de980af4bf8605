"""Our own topics: nothing relies on automatic creation, `isthmus topics` makes them."""

import asyncio
from typing import Any

from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processor.adapters.kafka.connection import connection_arguments
from processor.adapters.kafka.errors import translated
from processor.errors import ConfigError
from processor.settings import Settings

__all__ = ["OWN_TOPICS", "ensure_topics"]

OWN_TOPICS = ("segment.events", "segment.rejected", "results", "workflow.events")
_TIMEOUT_S = 20.0


async def ensure_topics(settings: Settings) -> list[str]:
    """Make the topics that are missing and return their names; those that exist stay as they are.

    Raises ``UnavailableError`` when the broker is away, ``ConfigError`` when it refuses.
    """
    with translated():
        async with asyncio.timeout(_TIMEOUT_S):
            admin = AIOKafkaAdminClient(**connection_arguments(settings))
            await admin.start()
            try:
                return await _create_missing(admin, settings)
            finally:
                await admin.close()


async def _create_missing(admin: Any, settings: Settings) -> list[str]:
    existing = set(await admin.list_topics())
    wanted = [settings.topic(name) for name in OWN_TOPICS]
    missing = [name for name in wanted if name not in existing]
    if not missing:
        return []
    answer = await admin.create_topics([_new(name, settings) for name in missing])
    for name, code, *message in answer.topic_errors:
        error = kafka.for_code(code)
        if code != 0 and error is not kafka.TopicAlreadyExistsError:
            raise ConfigError(f"topic {name}: {error.__name__} {' '.join(str(part or '') for part in message)}".strip())
    return missing


def _new(name: str, settings: Settings) -> NewTopic:
    return NewTopic(
        name,
        settings.topic_partitions,
        settings.topic_replication,
        topic_configs={
            "cleanup.policy": "delete",
            "max.message.bytes": str(settings.topic_max_message_bytes),
            "min.insync.replicas": str(settings.topic_min_insync),
            "retention.ms": str(settings.topic_retention_h * 3_600_000),
        },
    )
