"""What a log hands us: one record, as bytes.

``Record`` is shaped like aiokafka's ``ConsumerRecord``, so that nothing is copied per record on the way in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["RawRecord", "Record", "header"]


class Record(Protocol):
    """One record of one partition. ``timestamp`` is in milliseconds since 1970, UTC."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Kafka's protocol allows a header without a value."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A ``Record`` of our own making: in memory, or standing for one that cannot be decoded."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def header(record: Record, name: str) -> str | None:
    """The first header of that name as text, ``None`` where it is absent, without a value or not UTF-8."""
    for key, value in record.headers:
        if key == name:
            try:
                return None if value is None else value.decode()
            except UnicodeDecodeError:
                return None
    return None
