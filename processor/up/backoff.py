"""How long to wait before a dead child is started again."""

from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(slots=True)
class Backoff:
    """Doubles from ``first_s`` to ``most_s``; a child that lived ``reset_after_s`` begins anew."""

    first_s: float = 0.2
    most_s: float = 10.0
    reset_after_s: float = 30.0
    deaths: int = 0
    """Deaths in a row, each after less than ``reset_after_s`` of life."""

    def after(self, lived_s: float) -> float:
        """Seconds to wait now that it died after ``lived_s`` seconds."""
        if lived_s >= self.reset_after_s:
            self.deaths = 0
        self.deaths += 1
        return min(self.most_s, self.first_s * 2.0 ** min(self.deaths - 1, 30))
