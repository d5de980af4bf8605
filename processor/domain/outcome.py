"""What was decided about one record: the value that every decision returns and every sink applies.

A record counts once: ``dead`` when anything rejected it, else ``applied`` when anything took effect,
else ``filtered`` with a reason. Each rejecting mapping is a ``Rejection`` of its own, the others proceed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from processor.domain.directory.command import Command

__all__ = ["FILTERED_REASONS", "NULL_VALUE", "Class", "Outcome", "Reason", "Rejection"]

Class = Literal["applied", "filtered", "dead"]
Reason = Literal["no_match", "disabled", "null", "own", "hops", "suppressed", "too_old"]
FILTERED_REASONS: tuple[Reason, ...] = (
    "no_match",
    "disabled",
    "null",
    "own",
    "hops",
    "suppressed",
    "too_old",
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one mapping, or (``mapping`` empty) the record itself, was refused. ``code`` is public and stable."""

    code: str
    message: str
    mapping: str = ""


class Outcome(NamedTuple):
    """The whole decision about one record."""

    source: str
    """The source's id, for the ledger; ``kafka`` where the record names none."""
    message_id: str = ""
    reason: Reason = "no_match"
    """Why nothing took effect; only meaningful when ``kind`` is ``filtered``."""
    effects: Sequence[Command] = ()
    rejections: Sequence[Rejection] = ()

    @property
    def kind(self) -> Class:
        if self.rejections:
            return "dead"
        return "applied" if self.effects else "filtered"


NULL_VALUE = Outcome(source="kafka", reason="null")
