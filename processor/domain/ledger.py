"""Counting records and effects, so that everything read is accounted for (design section 2.8, schema section 2)."""

from collections import Counter
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
    """Count a batch after it was written. ``results`` has, for each outcome, what became of each of its effects."""
    counted = Tally()
    records_, effects = counted.records, counted.effects
    for record, outcome, became in zip(records, outcomes, results, strict=True):
        if not became and not outcome.rejections:
            filtered = (record.topic, record.partition, outcome.source, outcome.reason)
            records_[filtered] = records_.get(filtered, 0) + 1  # `+= 1` costs a Counter two calls
            continue
        place = (record.topic, record.partition, outcome.source)
        refused = list(outcome.rejections)
        for effect, result in zip(outcome.effects, became, strict=True):
            counted.dropped += effect.dropped
            if isinstance(result, Rejection):
                refused.append(result)
            else:
                done = (*place, effect.mapping, result)
                effects[done] = effects.get(done, 0) + 1
        for rejection in refused:
            counted.rejections[rejection.mapping, rejection.code] += 1
            if rejection.mapping:
                counted.effects[(*place, rejection.mapping, "rejected")] += 1
        kind = (*place, "dead" if refused else _done(became))
        records_[kind] = records_.get(kind, 0) + 1
    return counted


def _done(became: Sequence[CommandResult | Rejection]) -> str:
    """A record of somebody who asked to be forgotten took no effect."""
    return "applied" if any(result != "suppressed" for result in became) else "suppressed"
