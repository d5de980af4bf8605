"""The revision in force in this process: the newest that it could take, whatever else is stored."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from processor.config.compile import compile_document
from processor.config.document import check
from processor.config.secrets import Secrets
from processor.domain.events.mark import Marks
from processor.errors import ConfigError, DocumentError
from processor.ports.revisions import Compiled, Revision

__all__ = ["Current", "Store"]

_HISTORY = 50
"""Revisions looked back through at start."""


class Store(Protocol):
    """What is needed of ``ports.revisions.Revisions``, and a cheap question to ask every second."""

    async def newest(self) -> int: ...
    async def get(self, number: int) -> Revision | None: ...
    async def history(self, limit: int = 50) -> Sequence[Revision]: ...


class Current:
    """Implements ``ports.revisions.CurrentRevision``. Whoever runs it calls ``refresh`` every second.

    ``rules``: whether this process decides by them; one that does not has none.
    """

    def __init__(self, revisions: Store, secrets: Secrets, *, rules: bool = True, marks: Marks | None = None) -> None:
        self._revisions = revisions
        self._secrets = secrets
        self._rules = rules
        self._marks = marks
        self._compiled: Compiled | None = None
        self._seen = 0
        self.refused: tuple[int, str] | None = None
        """The newest revision and why this process could not take it; ``None`` while it runs on the newest."""

    @property
    def ready(self) -> bool:
        """Whether there is a revision in force."""
        return self._compiled is not None

    @property
    def current(self) -> Compiled:
        """Raises ``ConfigError`` before the first revision has been taken."""
        if self._compiled is None:
            reason = f": revision {self.refused[0]} was refused: {self.refused[1]}" if self.refused else ""
            raise ConfigError(f"no configuration is in force{reason}; run `isthmus config apply FILE`")
        return self._compiled

    async def refresh(self) -> bool:
        """Take a newer revision if there is one; whether ``current`` changed.

        One that cannot be taken is remembered in ``refused`` and not tried again; at start the history is gone
        back through instead. Raises ``UnavailableError`` when the database is away, and nothing has changed then.
        """
        newest = await self._revisions.newest()
        if newest == self._seen:
            return False
        if self._compiled is None:
            candidates = await self._revisions.history(_HISTORY)
        else:
            revision = await self._revisions.get(newest)
            candidates = [revision] if revision is not None else []
        refused: tuple[int, str] | None = None
        for revision in candidates:
            try:
                # Reading a long document takes seconds: beside the loop, not in it.
                compiled = await asyncio.to_thread(self._compile, revision)
            except Exception as error:  # noqa: BLE001 - the last good one stays in force, whatever was wrong
                refused = refused or (revision.number, _reason(error))
                continue
            self._compiled, self._seen, self.refused = compiled, newest, refused
            return True
        self._seen, self.refused = newest, refused
        return False

    def _compile(self, revision: Revision) -> Compiled:
        checked = check(revision.document, rules=self._rules)
        return compile_document(checked, revision.number, secrets=self._secrets, marks=self._marks)


def _reason(error: Exception) -> str:
    if isinstance(error, DocumentError):
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        return f"{error.faults[0]}{more}"
    return f"{type(error).__name__}: {error}"
