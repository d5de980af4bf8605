"""A service that stands still until a person acts: kept in the store, so that a restart changes nothing."""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Pause", "Pauses"]


@dataclass(frozen=True, slots=True)
class Pause:
    """In force while ``revision`` is. ``resumed``: a person looked and decided to go on with it."""

    revision: int
    reason: str
    resumed: bool


class Pauses(Protocol):
    """The pause of one service. Every method raises ``UnavailableError`` when the store is away."""

    async def get(self) -> Pause | None: ...

    async def set(self, revision: int, reason: str) -> None: ...
