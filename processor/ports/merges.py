"""Reading which contacts were merged, and which the rules now in force would merge.

Every method raises ``UnavailableError`` when the database is away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from processor.domain.rules import Directory

__all__ = ["DuplicatePair", "MergeQueries", "MergeRow"]


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two contacts that one merge rule takes for the same person, by their numbers."""

    directory: str
    rule: tuple[str, ...]
    older: int
    younger: int


@dataclass(frozen=True, slots=True)
class MergeRow:
    """A merge that stands. ``by``: who asked for it."""

    winner: int
    loser: int
    by: str
    merged_at: datetime


class MergeQueries(Protocol):
    async def duplicates(self, directories: Sequence[Directory], limit: int) -> Sequence[DuplicatePair]:
        """Pairs that a merge rule of these directories would have made one contact, the oldest contacts first.

        They arise when rules change, or when a contact comes to carry a value that an older one has already.
        """

    async def merged_into(self, contact: int) -> Sequence[MergeRow]:
        """The contacts that became part of this one, the latest first."""
