"""Whether a known caller may come in now: the page that it calls from, and how much it sends a second."""

import math
from dataclasses import dataclass

from ingress.credentials import Credentials
from processor.domain.bucket import Bucket
from processor.errors import RejectedError, UnavailableError
from processor.ports.revisions import Compiled, HttpSource, Limits

__all__ = ["ForeignOriginError", "Gate", "OverLimitError"]


class ForeignOriginError(RejectedError):
    """A page of another origin than the source names. Nothing of it is kept."""

    def __init__(self) -> None:
        super().__init__(
            "foreign_origin", "This source takes no calls from this page's origin; name it in its cors_origins."
        )


class OverLimitError(UnavailableError):
    """More than the source may send. ``after_s``: whole seconds until the same is let in."""

    def __init__(self, what: str, after_s: float) -> None:
        self.after_s = max(1, math.ceil(after_s))
        super().__init__(f"More {what} a second than this source may send; send again later.", "over_limit")


@dataclass(slots=True)
class _Terms:
    limits: Limits
    requests: Bucket | None
    events: Bucket | None


class Gate:
    """The limits and origins of the revision by which a caller was known. ``workers`` share a source's limits evenly.

    It asks the credentials for that revision, which have just looked: to look once more would cost a request 0.2 µs.
    """

    def __init__(self, credentials: Credentials, workers: int = 1) -> None:
        self._credentials = credentials
        self._workers = workers
        self._made_of: Compiled | None = None
        self._terms: dict[str, _Terms] = {}
        self._origins: dict[str, frozenset[str]] = {}
        self._any_origin = True
        self._all_origins: frozenset[str] = frozenset()

    def _follow(self, current: Compiled | None, now_s: float) -> None:
        self._made_of = current
        sources = current.http_sources if current is not None else ()
        # A bucket whose limits stay as they are stays as full as it is: a new revision is no new allowance.
        self._terms = {s.id: self._terms_of(s, now_s) for s in sources if s.limits != Limits()}
        self._origins = {s.id: frozenset(s.cors_origins) for s in sources if s.cors_origins is not None}
        self._any_origin = any(source.cors_origins is None for source in sources)
        self._all_origins = frozenset().union(*self._origins.values())

    def follow(self) -> None:
        """Take the revision in force, for who did not show a write key."""
        self._credentials.follow()

    def _terms_of(self, source: HttpSource, now_s: float) -> _Terms:
        known = self._terms.get(source.id)
        if known is not None and known.limits == source.limits:
            return known
        return _Terms(
            source.limits,
            self._bucket(source.limits.requests_per_s, now_s),
            self._bucket(source.limits.events_per_s, now_s),
        )

    def _bucket(self, per_s: float | None, now_s: float) -> Bucket | None:
        return None if per_s is None else Bucket(per_s / self._workers, now_s)

    def enter(self, source: str, origin: str | None, now_s: float) -> None:
        """One request of this source, by a page of this origin; ``None``: not by a page of another origin.

        Raises ``ForeignOriginError`` and ``OverLimitError``.
        """
        if self._credentials.made_of is not self._made_of:
            self._follow(self._credentials.made_of, now_s)
        if origin is not None and origin not in self._origins.get(source, (origin,)):
            raise ForeignOriginError
        if self._terms and (terms := self._terms.get(source)) is not None and terms.requests is not None:
            wait_s = terms.requests.take(now_s)
            if wait_s:
                raise OverLimitError("requests", wait_s)

    def counts_events(self, source: str) -> bool:
        """Whether this source's events are limited; to be asked where counting them is dear."""
        terms = self._terms.get(source)
        return terms is not None and terms.events is not None

    def spend(self, source: str, events: int, now_s: float) -> None:
        """So many events of this source. Raises ``OverLimitError``."""
        if self._terms and (terms := self._terms.get(source)) is not None and terms.events is not None:
            wait_s = terms.events.take(now_s, float(events))
            if wait_s:
                raise OverLimitError("events", wait_s)

    def lets_read(self, source: str, origin: str, now_s: float) -> bool:
        """Whether a page of this origin may read an answer; an empty source: one that is not known yet, or nobody's."""
        if not source:
            self._credentials.follow()
        if self._credentials.made_of is not self._made_of:
            self._follow(self._credentials.made_of, now_s)
        if source:
            return origin in self._origins.get(source, (origin,))
        return self._any_origin or origin in self._all_origins
