"""What ingress says about itself: requests by source and status, and how long they took."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from ingress.notes import Notes
from processor.logs import Log
from processor.metrics import Answered

__all__ = ["Report", "SourceFigures"]

_BOUNDS_MS = tuple(0.25 * 1.2**step for step in range(60))
"""Upper bounds of the latency classes: 0.25 ms to 11.6 s in steps of a fifth, so a percentile is at most 20 % high."""

_EVERY = 4
"""Of so many latency classes a metric shows one: 0.25 ms, 0.52 ms, 1.1 ms and so on."""


@dataclass(slots=True)
class SourceFigures:
    """What was answered to one source."""

    by_status: Counter[int] = field(default_factory=Counter)
    latencies: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS_MS) + 1))
    seconds: float = 0.0

    def since(self, before: "SourceFigures") -> "SourceFigures":
        """What came after ``before``."""
        latencies = [now - then for now, then in zip(self.latencies, before.latencies, strict=True)]
        return SourceFigures(self.by_status - before.by_status, latencies, self.seconds - before.seconds)

    def percentile_ms(self, share: float) -> float:
        """An upper bound, of the class in which that share is reached."""
        rank = share * sum(self.latencies)
        seen = 0
        for step, count in enumerate(self.latencies):
            seen += count
            if seen and seen >= rank:
                return round(_BOUNDS_MS[min(step, len(_BOUNDS_MS) - 1)], 2)
        return 0.0


class Report:
    """Counts each answer once; the log tells what is new of it, a metric all of it."""

    def __init__(self, bytes_in_flight: Callable[[], int], notes: Notes | None = None) -> None:
        self.bytes_in_flight = bytes_in_flight
        self._notes: Counter[tuple[str, str]] = notes.counts if notes is not None else Counter()
        self._told_notes: Counter[tuple[str, str]] = Counter()
        self._sources: dict[str, SourceFigures] = {}
        self._told: dict[str, SourceFigures] = {}

    def observe(self, source: str, status: int, seconds: float) -> None:
        figures = self._sources.get(source)
        if figures is None:
            figures = self._sources[source] = SourceFigures()
        figures.by_status[status] += 1
        figures.latencies[bisect_right(_BOUNDS_MS, seconds * 1000)] += 1
        figures.seconds += seconds

    def snapshot(self) -> dict[str, SourceFigures]:
        """Figures by source since the last call; only sources that have some."""
        nothing = SourceFigures()
        new = {source: now.since(self._told.get(source, nothing)) for source, now in self._sources.items()}
        self._told = {source: now.since(nothing) for source, now in self._sources.items()}
        return {source: figures for source, figures in new.items() if figures.by_status}

    def answered(self) -> Iterator[Answered]:
        """Figures by source since the start, as a metric wants them."""
        for source, figures in sorted(self._sources.items()):
            below = [0, *accumulate(figures.latencies)]
            shown = range(0, len(_BOUNDS_MS), _EVERY)
            buckets = [(_BOUNDS_MS[step] / 1000, below[step + 1]) for step in shown]
            yield Answered(source, dict(figures.by_status), buckets, figures.seconds)

    def noted(self) -> Iterator[tuple[str, str, int]]:
        """(source, what, how often) since the start."""
        for (source, what), number in sorted(self._notes.items()):
            yield source, what, number

    def log(self, log: Log) -> None:
        """One line a source; without requests one line that says so."""
        noted = self._notes - self._told_notes
        self._told_notes = self._notes.copy()
        for source, figures in sorted((self.snapshot() or {"": SourceFigures()}).items()):
            log.info(
                "ingress_reported",
                source=source,
                requests={str(status): count for status, count in figures.by_status.items()},
                p50_ms=figures.percentile_ms(0.5),
                p99_ms=figures.percentile_ms(0.99),
                bytes_in_flight=self.bytes_in_flight(),
                noted={what: number for (of, what), number in sorted(noted.items()) if of == source},
            )
