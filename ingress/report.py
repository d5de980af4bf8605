"""What ingress says about itself: requests by source and status, and how long they took."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from processor.logs import Log

__all__ = ["Report", "SourceFigures", "Watch"]

_BOUNDS_MS = tuple(0.25 * 1.2**step for step in range(60))
"""Upper bounds of the latency classes: 0.25 ms to 11.6 s in steps of a fifth, so a percentile is at most 20 % high."""

Watch = Callable[[str, int, float], None]
"""Hears of each answered request: source (empty: unknown), status, seconds."""


@dataclass(slots=True)
class SourceFigures:
    """One source since the last report. ``p50_ms`` and ``p99_ms`` are upper bounds of their class."""

    by_status: Counter[str] = field(default_factory=Counter)
    latencies: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS_MS) + 1))

    def percentile_ms(self, share: float) -> float:
        rank = share * sum(self.latencies)
        seen = 0
        for step, count in enumerate(self.latencies):
            seen += count
            if seen and seen >= rank:
                return round(_BOUNDS_MS[min(step, len(_BOUNDS_MS) - 1)], 2)
        return 0.0


class Report:
    """Counts answers; ``snapshot`` takes what came in since the last one."""

    def __init__(self, bytes_in_flight: Callable[[], int], watch: Watch | None = None) -> None:
        self.bytes_in_flight = bytes_in_flight
        self._watch = watch
        self._sources: dict[str, SourceFigures] = {}

    def observe(self, source: str, status: int, seconds: float) -> None:
        figures = self._sources.get(source)
        if figures is None:
            figures = self._sources[source] = SourceFigures()
        figures.by_status[str(status)] += 1
        figures.latencies[bisect_right(_BOUNDS_MS, seconds * 1000)] += 1
        if self._watch is not None:
            self._watch(source, status, seconds)

    def snapshot(self) -> dict[str, SourceFigures]:
        """Figures by source since the last call."""
        sources, self._sources = self._sources, {}
        return sources

    def log(self, log: Log) -> None:
        """One line a source; without requests one line that says so."""
        for source, figures in sorted((self.snapshot() or {"": SourceFigures()}).items()):
            log.info(
                "ingress_reported",
                source=source,
                requests=dict(figures.by_status),
                p50_ms=figures.percentile_ms(0.5),
                p99_ms=figures.percentile_ms(0.99),
                bytes_in_flight=self.bytes_in_flight(),
            )
