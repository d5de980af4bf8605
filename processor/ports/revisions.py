"""The configuration as the running services see it: the last good revision, compiled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from processor.domain.rules import Directory, Rules

__all__ = ["ApiToken", "Compiled", "CurrentRevision", "HttpSource", "HttpWorkflow", "Limits", "Revision", "Revisions"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may send a second; ``None``: as much as it likes."""

    requests_per_s: float | None = None
    events_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A source that speaks HTTP. ``write_keys``: the values that are good now, two while one is rotated."""

    id: str
    write_keys: tuple[str, ...] = field(repr=False)
    signing_secrets: tuple[str, ...] | None = field(default=None, repr=False)
    """Of ``/webhooks/segment``. ``None``: the document gives none, and the caller shows the write key. Empty: it gives
    one that this process cannot resolve, and nothing is accepted."""
    batch_tokens: tuple[str, ...] = field(default=(), repr=False)
    """A second secret for arrays on the webhook; without one none is accepted."""
    limits: Limits = Limits()
    cors_origins: tuple[str, ...] | None = None
    """Origins of pages that may call; ``None``: any."""
    results: bool = False
    result: Callable[[Any], Any] | None = field(default=None, repr=False)
    """Makes a result of what the platform posts; ``None``: what is posted is one."""


@dataclass(frozen=True, slots=True)
class HttpWorkflow:
    """A workflow that is started by its URL. ``url_tokens``: the values that are good now."""

    id: str
    enabled: bool
    url_tokens: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of the API and what it may do (``directory:read``, ``directory:write``, ``trigger``, …)."""

    name: str
    values: tuple[str, ...] = field(repr=False)
    scopes: frozenset[str]
    requests_per_s: float | None = None
    """How often it may ask a process of the API; ``None``: as often as it likes."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A stored configuration document. ``document`` is the YAML text as it was applied."""

    number: int
    document: str = field(repr=False)
    applied_at: datetime
    applied_by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Everything a process needs of one revision, secrets resolved by this process."""

    revision: int
    rules: Rules
    http_sources: Sequence[HttpSource]
    api_tokens: Sequence[ApiToken]
    directories: Mapping[str, Directory]
    warnings: Sequence[str] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    http_workflows: Sequence[HttpWorkflow] = ()
    unset: Sequence[str] = ()
    """Secrets that this process cannot resolve, by their owner and reference: they match nothing here."""


class CurrentRevision(Protocol):
    """Whoever asks gets the revision in force; it changes between two awaits, never within one."""

    @property
    def current(self) -> Compiled: ...


class Revisions(Protocol):
    """The stored revisions. Every method raises ``UnavailableError`` when the database is away."""

    async def latest(self) -> Revision | None: ...
    async def get(self, number: int) -> Revision | None: ...
    async def history(self, limit: int = 50) -> Sequence[Revision]: ...
    async def add(self, document: str, applied_by: str, note: str = "") -> Revision: ...
