"""What the loops that are measured share: the same event loop, the same calm collector, the same stop-watch."""

import asyncio
import gc
import json
import time
from collections.abc import Coroutine
from typing import Any

import uvloop

__all__ = ["BATCH", "StopWatch", "calm", "run"]

BATCH = 3_000
"""Records of one poll, as the services take them (`ISTHMUS_BATCH_RECORDS`)."""


class StopWatch:
    """Counts from a tenth of the events to their end, so that no start-up is in the figure."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._began: tuple[int, float] | None = None

    @property
    def running(self) -> bool:
        return self.done < self.total

    def add(self, count: int) -> None:
        self.done += count
        if self._began is None and self.done * 10 >= self.total:
            self._began = (self.done, time.perf_counter())

    def report(self, **more: Any) -> None:
        """One line for whoever started this process."""
        before, began = self._began or (0, 0.0)
        rate = (self.done - before) / (time.perf_counter() - began)
        print(json.dumps({"events": self.done, "per_second": rate, **more}), flush=True)


def calm() -> None:
    """As `isthmus run` does it: few looks for cycles, and none at what is there already."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(300_000, 50, 100)


def run(work: Coroutine[Any, Any, None]) -> None:
    """On uvloop, calm."""
    calm()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
