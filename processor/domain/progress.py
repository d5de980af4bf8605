"""Where to go on reading a partition: the stored progress against what the broker has now (design section 2.7).

Never wait in silence for an offset that will not come.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

__all__ = ["Admission", "Anomaly", "Seen", "Stored", "admit"]

Anomaly = Literal["recreated", "expired", "truncated"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of ``progress``."""

    topic_id: UUID
    epoch: int
    start_offset: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A partition as the broker shows it: its topic's incarnation, its oldest offset, the offset after its newest."""

    topic_id: UUID
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Admission:
    """What ``progress`` says from now on. ``expired``: records that were never read and are gone."""

    topic_id: UUID
    epoch: int
    start_offset: int
    next_offset: int
    expired: int = 0
    anomaly: Anomaly | None = None


def admit(stored: Stored | None, seen: Seen) -> Admission:
    """Take a partition over: the epoch rises by one, so that whoever had it can no longer write."""
    if stored is None:
        return Admission(seen.topic_id, 1, seen.begin, seen.begin)
    epoch = stored.epoch + 1
    if stored.topic_id != seen.topic_id:
        return Admission(seen.topic_id, epoch, seen.begin, seen.begin, anomaly="recreated")
    if seen.begin > stored.next_offset:
        gap = seen.begin - stored.next_offset
        return Admission(seen.topic_id, epoch, stored.start_offset, seen.begin, gap, "expired")
    if seen.end < stored.next_offset:
        # The log lost its end (an unclean election). New records will come at offsets that were read before:
        # go back there, and move the start as far, so that what was counted still adds up.
        back = stored.next_offset - seen.end
        return Admission(seen.topic_id, epoch, stored.start_offset - back, seen.end, anomaly="truncated")
    return Admission(seen.topic_id, epoch, stored.start_offset, stored.next_offset)
