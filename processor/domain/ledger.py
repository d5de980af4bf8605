"""Counting records and effects, so that everything read is accounted for (design section 2.8, schema section 2)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from processor.domain.directory.command import CommandResult
from processor.domain.events.record import Record
from processor.domain.outcome import Outcome, Rejection

__all__ = ["Count", "EffectCount", "EffectResult", "Tally", "tally"]

EffectResult = Literal["changed", "repeated", "superseded", "suppressed", "rejected"]
Count = Counter[tuple[str, int, str, str]]
"""(topic, partition, source, class or reason) to a number of records."""
EffectCount = Counter[tuple[str, int, str, str, EffectResult]]
"""(topic, partition, source, mapping, result) to a number of effects."""


_Classes = defaultdict[tuple[str, str], int]
"""(source, class or reason) to records of one partition. A Counter would ask a method for each new key."""
_Effects = defaultdict[tuple[str, str, EffectResult], int]
"""(source, mapping, result) to effects of one partition."""


@dataclass(slots=True)
class Tally:
    """A batch, counted: each record once, each effect once, each rejection once."""

    records: Count = field(default_factory=Counter)
    effects: EffectCount = field(default_factory=Counter)
    rejections: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(mapping, code) to dead letters; the mapping is empty where the record itself was refused."""
    dropped: int = 0
    """Embedded fields that were left out because their name or value is too long."""

    def by_class(self) -> Counter[str]:
        """Records by ``applied``, ``dead`` or the reason for which they were filtered."""
        total: Counter[str] = Counter()
        for (_, _, _, name), number in self.records.items():
            total[name] += number
        return total


def tally(
    records: Sequence[Record],
    outcomes: Sequence[Outcome],
    results: Iterable[Sequence[CommandResult | Rejection]],
) -> Tally:
    """Count a batch after it was written. ``results`` has, for each outcome, what became of each of its effects.

    Records stand partition by partition: each stretch is counted by its short keys, which are made long at its end.
    """
    counted = Tally()
    place: tuple[str, int] | None = None
    partition = -1
    classes: _Classes = defaultdict(int)
    effects: _Effects = defaultdict(int)
    for record, outcome, became in zip(records, outcomes, results, strict=True):
        if record.partition != partition or place is None or record.topic != place[0]:
            _gather(counted, place, classes, effects)
            place = record.topic, (partition := record.partition)
            classes, effects = defaultdict(int), defaultdict(int)
        source = outcome.source
        if not became and not outcome.rejections:
            classes[source, outcome.reason] += 1
            continue
        kind = "suppressed"  # a record of somebody who asked to be forgotten took no effect
        for effect, result in zip(outcome.effects, became, strict=True):
            counted.dropped += effect.dropped
            if isinstance(result, str):
                effects[source, effect.mapping, result] += 1
                if result != "suppressed" and kind != "dead":
                    kind = "applied"
            else:
                kind = "dead"
                _refuse(counted, effects, source, result)
        for rejection in outcome.rejections:
            kind = "dead"
            _refuse(counted, effects, source, rejection)
        classes[source, kind] += 1
    _gather(counted, place, classes, effects)
    return counted


def _refuse(counted: Tally, effects: _Effects, source: str, rejection: Rejection) -> None:
    counted.rejections[rejection.mapping, rejection.code] += 1
    if rejection.mapping:
        effects[source, rejection.mapping, "rejected"] += 1


def _gather(counted: Tally, place: tuple[str, int] | None, classes: _Classes, effects: _Effects) -> None:
    if place is not None:
        for class_, number in classes.items():
            counted.records[(*place, *class_)] += number
        for effect, number in effects.items():
            counted.effects[(*place, *effect)] += number
