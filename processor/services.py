"""START HERE: what runs.

    segment.events ─┬─► directory ──► contacts, transactions, dead letters
    source topics ──┘
    segment.rejected ─► rejects ────► dead letters

A consumer is a name, the topics it reads and a pure decision about one record; ``engine.loop`` does the rest the
same way for all of them. Servers answer HTTP. ``wiring`` opens what they need and runs them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from processor.domain.decisions import directory, rejects
from processor.domain.events.record import Record
from processor.domain.outcome import Outcome
from processor.domain.rules import Rules

__all__ = ["CONSUMERS", "PATH", "SERVERS", "Consumer", "known_services"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consumer service: its consumer group, its topics (before the prefix), its decision."""

    name: str
    topics: tuple[str, ...]
    decide: Callable[[Record, UUID, Rules], Outcome]
    sources: bool = False
    """Whether it reads, beside its own, the topics of other systems that the document names as sources."""


CONSUMERS: Mapping[str, Consumer] = {
    consumer.name: consumer
    for consumer in (
        Consumer("directory", ("segment.events",), directory.decide, sources=True),
        Consumer("rejects", ("segment.rejected",), rejects.decide),
    )
}
SERVERS = ("ingress", "api")
PATH = ("directory", "rejects")
"""The consumers that an event needs to go the whole way; ``/health/path`` asks for them."""


def known_services() -> tuple[str, ...]:
    """Every name that ``isthmus run`` takes."""
    return (*SERVERS, *CONSUMERS)
