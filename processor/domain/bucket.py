"""A token bucket: so many requests a second, and at once no more than one second's worth.

Time is passed in. By hand, because whoever is refused must be told how long to wait.
"""

__all__ = ["Bucket"]


class Bucket:
    """Full at first. ``per_s``: above 0; below 1, one request at a time still fits."""

    __slots__ = ("_at_s", "_held", "_most", "per_s")

    def __init__(self, per_s: float, now_s: float) -> None:
        self.per_s = per_s
        self._most = max(per_s, 1.0)
        self._held = self._most
        self._at_s = now_s

    def take(self, now_s: float, amount: float = 1.0) -> float:
        """0.0, and the amount is taken; else the seconds until it is there, and nothing is taken.

        More than the bucket can hold is asked for as if it were all that it holds. ``now_s`` never goes back.
        """
        self._held = min(self._most, self._held + (now_s - self._at_s) * self.per_s)
        self._at_s = now_s
        wanted = min(amount, self._most)
        if self._held >= wanted:
            self._held -= wanted
            return 0.0
        return (wanted - self._held) / self.per_s
