"""How much one evaluation of a mapping may do: a count of steps, because a clock would decide differently each time.

A mapping can write down what doubles its own value again and again, and values that hold themselves many times over
are small in memory and endless to walk. So whatever walks, copies or prints a value pays for it here, beforehand.
"""

from threading import local
from typing import Any, Final

from processor.domain.mappings.contract import fail
from processor.domain.weight import CHARS, weigh

__all__ = ["CHARS", "MOST", "Allowance"]

MOST: Final = 20_000
"""Steps of one evaluation, a microsecond or two each: more than an event of 32 kB can have members, and within the
50 ms that a mapping may take."""


class Allowance(local):
    """The steps that are ``left`` of the evaluation that runs. One for each mapping; ``used`` if anything asks it.

    Each thread has its own: a mapping is tried beside the service that runs it.
    """

    def __init__(self) -> None:
        self.left = MOST
        self.used = False

    def begin(self) -> None:
        """A new evaluation."""
        self.left = MOST

    def spend(self, steps: int) -> None:
        """Rejects the event when there were too many."""
        self.left -= steps
        if self.left < 0:
            fail(f"this mapping takes more than {MOST} steps for this event")

    def weigh(self, value: Any) -> None:
        """Pay for everything in ``value``: parts that it holds many times count as often."""
        weigh(value, self.spend)
