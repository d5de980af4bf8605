"""How far the keys of new merge rules are filled in, told on standard error while `config apply` waits for it."""

import sys
import time

__all__ = ["Filling"]

_EVERY_S = 2.0


class Filling:
    """A ``key_filling.Progress`` that speaks at most every two seconds; ``end`` says the last word."""

    def __init__(self) -> None:
        self._spoke = time.monotonic()
        self._done: dict[str, int] = {}

    def __call__(self, directory: str, contacts: int) -> None:
        self._done[directory] = contacts
        if time.monotonic() - self._spoke >= _EVERY_S:
            self._spoke = time.monotonic()
            self._say(directory, "so far")

    def end(self) -> None:
        for directory in self._done:
            self._say(directory, "done")

    def _say(self, directory: str, how_far: str) -> None:
        count = self._done[directory]
        print(f"New merge rules of {directory}: keys of {count:,} contacts filled in, {how_far}.", file=sys.stderr)
