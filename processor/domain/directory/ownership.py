"""Who has which matching key: as it was read, and as it shall be when the transaction is done.

A key has one owner. Another contact that carries it too waits, and the oldest that waits has it next. Keys by which
nobody looked are claimed unread; ``settle`` tells what was really there.
"""

from collections.abc import Collection, Iterable, Mapping

__all__ = ["SUPPRESSED", "Ownership"]

SUPPRESSED = 0
"""The owner of the keys of somebody who asked to be forgotten; no contact has that number."""


class Ownership:
    """``read``: keys to their owners, ``None`` for a key that nobody has.

    ``waiting``: who waits for them, where the caller knows it because no other writer is about.
    """

    def __init__(self, read: Mapping[bytes, int | None], waiting: Mapping[bytes, Iterable[int]] | None = None) -> None:
        self.before = dict(read)
        self.owners = dict(read)
        self.waits: set[tuple[bytes, int]] = set()
        """(key, contact) that begin to wait."""
        self.unwaits: set[tuple[bytes, int]] = set()
        """(key, contact) that no longer wait, if they did."""
        self.let_go: set[bytes] = set()
        """Keys that were free for a while: somebody who waits in the database would have had them."""
        self._waiting = {key: set(contacts) for key, contacts in (waiting or {}).items()}
        self._freed: dict[bytes, set[int]] = {}

    def claim(self, contact: int, key: bytes) -> None:
        """The contact carries the key: it has it, or waits for it."""
        owner = self.owners.setdefault(key, contact)
        if owner is None:
            self.owners[key] = contact
            self._unwait(key, contact)
        elif owner != contact:
            self._wait(key, contact)

    def give(self, contact: int, key: bytes) -> None:
        """A contact that was made just now carries the key: as ``claim``, but it cannot have waited for it yet."""
        owner = self.owners.setdefault(key, contact)
        if owner is None:
            self.owners[key] = contact
        elif owner != contact:
            self._wait(key, contact)

    def release(self, contact: int, key: bytes) -> None:
        """The contact no longer carries the key: whoever waited longest has it."""
        if key not in self.before:
            self._freed.setdefault(key, set()).add(contact)
        if self.owners.get(key) == contact:
            self.let_go.add(key)
            self.owners[key] = self._next(key)
        elif key in self.owners:
            self._unwait(key, contact)

    def transfer(self, giver: int, taker: int, key: bytes) -> None:
        """The giver's key is the taker's, whoever waits; a key that another has is waited for as before."""
        if key not in self.before:
            self._freed.setdefault(key, set()).add(giver)
        if key not in self.owners:
            self.owners[key] = taker
        elif self.owners[key] == giver:
            self.owners[key] = taker
            self._unwait(key, taker)
        else:
            self._unwait(key, giver)
            self.claim(taker, key)

    def orphan(self, key: bytes) -> None:
        """The key's owner does not carry it, because the rules that made it were not in force for a while."""
        self.let_go.add(key)
        self.owners[key] = self._next(key)

    def unread(self) -> list[bytes]:
        """Keys whose owner nobody has looked up yet, sorted."""
        return sorted(key for key in self.owners.keys() | self._freed.keys() if key not in self.before)

    def settle(self, read: Mapping[bytes, int | None]) -> None:
        """The owners of the keys that were ``unread``."""
        for key, owner in read.items():
            claimed, freed = self.owners.get(key), self._freed.get(key, ())
            self.before[key] = owner
            if owner is None or owner in freed:
                self.owners[key] = claimed
                if owner is not None and claimed is None:
                    self.let_go.add(key)
                elif owner is not None and claimed is not None:
                    self._unwait(key, claimed)
            else:
                self.owners[key] = owner
                if claimed is not None and claimed != owner:
                    self._wait(key, claimed)
            for contact in freed:
                if contact != owner and (key, contact) not in self.waits:
                    self._unwait(key, contact)

    def hand_over(self, waiting: Iterable[tuple[bytes, int]]) -> Collection[int]:
        """Give the free ones of these keys to the oldest of those that wait in the database; who got one."""
        for key, contact in waiting:
            if (key, contact) not in self.unwaits:
                self._waiting.setdefault(key, set()).add(contact)
        heirs = set()
        for key in self.let_go:
            if self.owners[key] is None and (heir := self._next(key)) is not None:
                self.owners[key] = heir
                heirs.add(heir)
        return heirs

    def moved(self) -> list[bytes]:
        """Keys that have another owner than before, sorted."""
        before = self.before
        return sorted(key for key, owner in self.owners.items() if owner != before[key])

    def _next(self, key: bytes) -> int | None:
        waiting = self._waiting.get(key)
        if not waiting:
            return None
        oldest = min(waiting)
        self._unwait(key, oldest)
        return oldest

    def _wait(self, key: bytes, contact: int) -> None:
        self.waits.add((key, contact))
        self.unwaits.discard((key, contact))
        self._waiting.setdefault(key, set()).add(contact)

    def _unwait(self, key: bytes, contact: int) -> None:
        self.waits.discard((key, contact))
        self.unwaits.add((key, contact))
        self._waiting.get(key, set()).discard(contact)
