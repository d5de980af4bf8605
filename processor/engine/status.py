"""How a service is: one small object that its loop writes and probes, reports and the heartbeat read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["State", "Status"]

State = Literal["starting", "running", "standby", "waiting", "paused"]


@dataclass(slots=True)
class Status:
    """``waiting``: something is away, nothing is lost. ``paused``: a person has to act. Seconds are monotonic."""

    clock: Callable[[], float]
    state: State = "starting"
    reason: str = ""
    since: float = field(init=False)
    turned: float = field(init=False)
    """When the loop last turned."""

    def __post_init__(self) -> None:
        self.since = self.turned = self.clock()

    def to(self, state: State, reason: str = "") -> bool:
        """Change state; True when that is news."""
        self.turned = self.clock()
        if (state, reason) == (self.state, self.reason):
            return False
        if state != self.state:
            self.since = self.turned
        self.state, self.reason = state, reason
        return True
