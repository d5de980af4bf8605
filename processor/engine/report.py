"""What a service says about itself: a line for each batch, and every ten seconds where it stands.

The lines alone rebuild the ledger: ``partition_admitted`` carries the partition's totals so far, ``batch_applied``
what was added, so a batch whose line was lost in a kill is in the next admission's totals (docs/operations.md).
"""

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from processor.domain.ledger import Tally
from processor.domain.outcome import FILTERED_REASONS
from processor.engine.source import Source
from processor.errors import UnavailableError
from processor.logs import Log as Logger
from processor.metrics import Metrics
from processor.ports.effects import Decided
from processor.ports.log import Log, Partition

__all__ = ["Reporter"]


@dataclass(slots=True)
class _Mapping:
    matched: int = 0
    applied: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class Reporter:
    """Implements ``engine.loop.Observer``; ``report`` is called every ``report_interval_s``."""

    def __init__(self, service: str, log: Log, source: Source, metrics: Metrics, logger: Logger) -> None:
        self._service = service
        self._log = log
        self._source = source
        self._metrics = metrics
        self._logger = logger
        self._mappings: dict[str, _Mapping] = defaultdict(_Mapping)
        self._reached: dict[Partition, int] = {}
        self._unread: dict[Partition, int] = {}

    @property
    def unread(self) -> int:
        """Records that were on the topics and not yet applied when last looked."""
        return sum(self._unread.values())

    def applied(self, decided: Decided, tally: Tally, seconds: float) -> None:
        by_topic: dict[str, Counter[str]] = defaultdict(Counter)
        by_source: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for (topic, partition, source, name), number in tally.records.items():
            by_topic[topic][name] += number
            by_source[topic][f"{partition}/{source}"][name] += number
        repeated = Counter[str]()
        for (topic, _, _, _, result), number in tally.effects.items():
            repeated[topic] += number if result == "repeated" else 0
        for topic, counts in by_topic.items():
            spans = {s.partition.partition: [s.expected, s.next] for s in decided.spans if s.partition.topic == topic}
            self._logger.info(
                "batch_applied",
                topic=topic,
                received=counts.total(),
                applied=counts["applied"],
                filtered={reason: counts[reason] for reason in FILTERED_REASONS if counts[reason]},
                dead=counts["dead"],
                repeated=repeated[topic],
                duration_ms=round(seconds * 1000, 1),
                spans=spans,
                by_source={place: dict(found) for place, found in by_source[topic].items()},
            )
        self._count(decided, tally, seconds)

    def _count(self, decided: Decided, tally: Tally, seconds: float) -> None:
        metrics, service = self._metrics, self._service
        for name, number in tally.by_class().items():
            kind = name if name in ("applied", "dead") else "filtered"
            metrics.records.labels(service, kind).inc(number)
        metrics.batches.labels(service).inc()
        metrics.batch_seconds.labels(service).observe(seconds)
        for (_, _, _, mapping, result), number in tally.effects.items():
            metrics.mapping_effects.labels(service, mapping, result).inc(number)
            self._mappings[mapping].matched += number
            self._mappings[mapping].applied += number if result != "rejected" else 0
        for (mapping, code), number in tally.rejections.items():
            metrics.dead_letters.labels(service, code).inc(number)
            metrics.rejections.labels(service, mapping, code).inc(number)
            self._mappings[mapping].rejected[code] += number
        if tally.dropped:
            metrics.embedded_dropped.labels("too_long").inc(tally.dropped)
        latest = {(record.topic, record.partition): record.timestamp for record in decided.records}
        self._reached.update((Partition(*place), timestamp) for place, timestamp in latest.items())

    async def report(self, unaccounted: Callable[[], Awaitable[int]]) -> None:
        """One ``service_reported`` line and a ``mapping_reported`` for each mapping that did something."""
        try:
            await self._look()
            missing: int | None = await unaccounted()
        except UnavailableError:
            missing = None
        oldest = self._oldest_s()
        self._metrics.oldest_pending.labels(self._service).set(oldest)
        if missing is not None:
            self._metrics.unaccounted.labels(self._service).set(missing)
        lag: dict[str, dict[int, int]] = defaultdict(dict)
        for partition, number in sorted(self._unread.items()):
            lag[partition.topic][partition.partition] = number
        self._logger.info("service_reported", lag=dict(lag), oldest_pending_s=round(oldest, 3), unaccounted=missing)
        mappings, self._mappings = self._mappings, defaultdict(_Mapping)
        for mapping, seen in mappings.items():
            self._logger.info(
                "mapping_reported",
                mapping=mapping,
                matched=seen.matched,
                applied=seen.applied,
                rejected=dict(seen.rejected),
            )

    async def _look(self) -> None:
        positions: Mapping[Partition, int] = self._source.positions
        bounds = await self._log.bounds(positions) if positions else {}
        # Behind the last record there may be what is none: the end of a transaction is no lag.
        reached = await self._log.reached(positions) if positions else {}
        self._unread = {
            partition: max(0, bounds[partition][1] - max(offset, reached.get(partition, 0)))
            for partition, offset in positions.items()
        }
        for partition, number in self._unread.items():
            self._metrics.lag.labels(self._service, partition.topic, str(partition.partition)).set(number)

    def _oldest_s(self) -> float:
        """Age of the oldest pending record: at most that of the last one applied before it; 0 with nothing pending."""
        waiting = [self._reached[p] for p, number in self._unread.items() if number and p in self._reached]
        return max(0.0, time.time() - min(waiting) / 1000) if waiting else 0.0
