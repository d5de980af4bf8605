"""The ledger, rebuilt from log lines alone, as a dashboard would (docs/operations.md).

A partition's totals are those of its newest ``partition_admitted``, the one of the highest epoch, and what the same
process applied to it afterwards. So a batch whose line was lost in a kill is in the next admission's totals, and a
line that a process wrote after it was overtaken adds to an admission that no longer counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["ledger_from_logs"]

REASONS = ("no_match", "disabled", "null", "own", "hops", "suppressed", "too_old")
Totals = dict[str, Counter[str]]
Partition = tuple[str, str, str, int]  # service, topic, topic id, partition


def ledger_from_logs(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The ``records`` of `isthmus ledger --json`. The lines of one process come in their order."""
    ledgers: dict[Partition, dict[int, Totals]] = defaultdict(dict)
    admitted: dict[tuple[str, str, str, int], tuple[str, int]] = {}
    for line in lines:
        if line["event"] == "partition_admitted":
            epoch, topic_id = line["epoch"], line["topic_id"]
            admitted[line["instance"], line["service"], line["topic"], line["partition"]] = (topic_id, epoch)
            totals = {source: Counter(classes) for source, classes in line["ledger"].items()}
            ledgers[line["service"], line["topic"], topic_id, line["partition"]][epoch] = totals
        elif line["event"] == "batch_applied":
            _add(ledgers, admitted, line)
    return _records((place, epochs[max(epochs)]) for place, epochs in ledgers.items())


def _add(
    ledgers: Mapping[Partition, dict[int, Totals]],
    admitted: Mapping[tuple[str, str, str, int], tuple[str, int]],
    line: Mapping[str, Any],
) -> None:
    passed = Counter({int(number): to - start for number, (start, to) in line["spans"].items()})
    for place, classes in line["by_source"].items():
        number, _, source = place.partition("/")
        passed[int(number)] -= sum(classes.values())
        _totals(ledgers, admitted, line, int(number)).setdefault(source, Counter()).update(classes)
    for number, holes in passed.items():
        if holes:
            _totals(ledgers, admitted, line, number).setdefault("", Counter())["holes"] += holes


def _totals(
    ledgers: Mapping[Partition, dict[int, Totals]],
    admitted: Mapping[tuple[str, str, str, int], tuple[str, int]],
    line: Mapping[str, Any],
    number: int,
) -> Totals:
    service, topic = line["service"], line["topic"]
    topic_id, epoch = admitted[line["instance"], service, topic, number]
    return ledgers[service, topic, topic_id, number][epoch]


def _records(partitions: Iterable[tuple[Partition, Totals]]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for (service, topic, _, _), totals in partitions:
        for source, classes in totals.items():
            sums[service, topic, source].update(classes)
    return [
        {"service": service, "topic": topic, "source": source}
        | {"read": counts["applied"] + counts["dead"] + sum(counts[name] for name in REASONS)}
        | {"applied": counts["applied"], "filtered": {name: counts[name] for name in REASONS}}
        | {name: counts[name] for name in ("dead", "expired", "holes")}
        for (service, topic, source), counts in sorted(sums.items())
    ]
