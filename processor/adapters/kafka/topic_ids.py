"""Ids of topic incarnations, by Metadata version 12.

aiokafka's own requests end at version 5, which has no ids; without them a topic that was deleted and made again is
read on at the old offset and its first records are lost (schema section 1, tried). Only the types of aiokafka's
protocol package are used, over its own client, so SASL and TLS are the same.
Source: Apache Kafka protocol guide, Metadata API (key 3).
"""

from collections.abc import Collection
from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from processor.ports.log import Incarnation

__all__ = ["topic_ids"]


class _Uuid:
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_TEXT = CompactString("utf-8")


class _Response(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields)),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Metadata(Request[_Struct]):  # type: ignore[misc]
    API_KEY = 3
    ALLOW_UNKNOWN_API_VERSION = True

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([(UUID(int=0), name, {}) for name in self._names], False, False, {})


async def topic_ids(client: AIOKafkaClient, names: Collection[str]) -> dict[str, Incarnation]:
    """Topic to its present incarnation; absent where it does not exist.

    Never creates a topic. Raises what aiokafka's client raises.
    """
    if not names:
        return {}
    node = client.get_random_node()
    response = await client.send(node, _Metadata(names))
    return {
        name: Incarnation(topic_id, len(partitions))
        for error, name, topic_id, _internal, partitions, _operations, _tags in response.topics
        if error == 0 and name is not None
    }
