"""Steps of a start, each timed and said once it is done."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from processor.up.banner import step

__all__ = ["Step", "Steps"]


@dataclass(slots=True)
class Step:
    """A step that runs. Whoever runs it may complete its words."""

    title: str
    note: str = ""


@dataclass(slots=True)
class Steps:
    """What is going on now, for the sentence of a time-out."""

    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, title: str, note: str = "") -> Iterator[Step]:
        """Say the step with its time, when it ends well."""
        start = time.monotonic()
        current = Step(title, note)
        yield current
        self.say(step(current.title, time.monotonic() - start, current.note))

    @property
    def total_s(self) -> float:
        return time.monotonic() - self.began

    @staticmethod
    def say(text: str) -> None:
        """A terminal that was closed is no reason to end."""
        try:
            print(text, flush=True)
        except OSError:
            sys.stdout = sys.stderr
