"""So many requests a second for each token, as the document says. Of this process: others have buckets of their own."""

import math
import time
from collections.abc import Callable

from processor.api.refusals import refused
from processor.domain.bucket import Bucket
from processor.ports.revisions import ApiToken, Compiled

__all__ = ["Limits"]


class Limits:
    """A bucket lives as long as its token's limit: a new revision that leaves the limit alone refills nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._revision = -1

    def spend(self, token: ApiToken, compiled: Compiled) -> None:
        """Count one request. Raises ``RefusedError`` (429) with the seconds to wait."""
        if compiled.revision != self._revision:
            self._forget(compiled)
        if token.requests_per_s is None:
            return
        now = self._clock()
        bucket = self._buckets.get(token.name)
        if bucket is None:
            bucket = self._buckets[token.name] = Bucket(token.requests_per_s, now)
        wait = bucket.take(now)
        if wait > 0:
            sentence = f"The token {token.name} may ask {token.requests_per_s:g} times a second; ask again later."
            raise refused("too_many_requests", sentence, {"Retry-After": str(max(1, math.ceil(wait)))})

    def _forget(self, compiled: Compiled) -> None:
        self._revision = compiled.revision
        limits = {token.name: token.requests_per_s for token in compiled.api_tokens}
        self._buckets = {name: held for name, held in self._buckets.items() if limits.get(name) == held.per_s}
