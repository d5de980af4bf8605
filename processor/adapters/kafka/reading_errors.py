"""Errors that come out of reading: whose they are, and what partitions they name."""

import gzip

from aiokafka import TopicPartition
from aiokafka import errors as kafka

from processor.ports.log import Partition

__all__ = ["is_of_the_broker", "partitions_of"]

_UNDECODABLE = (
    kafka.CorruptRecordException,
    kafka.UnsupportedCodecError,
    kafka.RecordTooLargeError,
    gzip.BadGzipFile,  # an OSError, but no broker that is away
)
_BROKER = (kafka.KafkaError, OSError, TimeoutError)


def is_of_the_broker(error: Exception) -> bool:
    """Not of the bytes that it sent: decoding raises what the libraries of the codecs raise, and UnicodeDecodeError
    for a header's name."""
    return isinstance(error, _BROKER) and not isinstance(error, _UNDECODABLE)


def partitions_of(error: BaseException) -> frozenset[Partition]:
    named: set[Partition] = set()
    for argument in error.args:
        for item in argument if isinstance(argument, dict) else [argument]:
            if isinstance(item, TopicPartition):
                named.add(Partition(item.topic, item.partition))
    return frozenset(named)
