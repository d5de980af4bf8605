"""Writing records onto topics, acknowledged."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

__all__ = ["Outgoing", "Publisher"]


class Outgoing(NamedTuple):
    """One record to write. The key decides the partition."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class Publisher(Protocol):
    """Writes records; returning means that every one of them was acknowledged by all in-sync replicas.

    They are taken one by one as they are written and not held while the acknowledgement is awaited.
    Raises ``UnavailableError`` when that could not be had in time: the records may or may not be there.
    Raises ``RejectedError`` with code ``too_large`` at a record over ``max_record_bytes``: it and what follows it are
    not written, what came before may be there. What ``records`` itself raises passes through, likewise.
    """

    @property
    def max_record_bytes(self) -> int: ...

    async def publish(self, topic: str, records: Iterable[Outgoing]) -> None: ...

    async def ready(self) -> None:
        """Return when the broker answers; raise ``UnavailableError`` when it does not within a second."""
