"""Writing a directory from outside the log: what the API, the command line and workflow tasks ask for.

Every write is one transaction through the one write path (``adapters.postgres.directory``), found and folded as an
event's is, safe beside the services. Every method raises ``UnavailableError`` when the database is away; the write
may then have happened, and only one with an idempotency key can be repeated without harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from processor.domain.directory.command import Command, CommandResult
from processor.domain.outcome import Rejection
from processor.domain.rules import Directory

__all__ = ["Became", "DirectoryWriter", "Erased", "Merged"]


class Became(NamedTuple):
    """What became of a command: the number of its contact, ``None`` where it has none, and the result."""

    contact: int | None
    result: CommandResult | Rejection


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken away, counted. ``hash``: the 16 bytes by which a suppression is known, the user id is not kept."""

    hash: bytes | None
    contacts: int
    transactions: int
    dead_letters: int
    memberships: int

    def shown(self) -> dict[str, int | str | None]:
        """As the API and the command line answer it; the hash in hexadecimal."""
        return {
            "contacts": self.contacts,
            "transactions": self.transactions,
            "deadLetters": self.dead_letters,
            "memberships": self.memberships,
            "hash": self.hash.hex() if self.hash is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Merged:
    """Two contacts that are one now, or two again."""

    winner: int
    loser: int
    transactions: int
    """How many transactions changed hands."""


class DirectoryWriter(Protocol):
    """Numbers of contacts are those behind the public ids; one that was merged away stands for its winner."""

    async def write(
        self, directory: Directory, commands: Sequence[Command], *, revision: int, once: bytes | None = None
    ) -> Sequence[Became]:
        """Apply the commands in their order, all or nothing; a rejected one changes nothing and stops no other.

        ``once``: 16 bytes of an idempotency key. Used before, nothing is written and its one command answers
        ``repeated`` with the contact of the first time. A transaction brings its own key instead.
        """

    async def delete_contact(self, directory: str, contact: int, by: str) -> Erased | None:
        """The contact, those merged into it, their transactions, memberships and dead letters; ``None``: unknown.
        Whoever the contact was may come back: nothing is suppressed."""

    async def delete_transaction(self, directory: str, keys: tuple[bytes, bytes]) -> bool:
        """The transaction whose effect key lies in the range (``ids.transaction_range``). Its key stays used."""

    async def update_transaction(
        self, directory: str, keys: tuple[bytes, bytes], date_ms: int | None, data: Mapping[str, str] | None
    ) -> bool:
        """Replace the date, the data or both; whether there is such a transaction."""

    async def suppress(self, user_id: str, by: str) -> Erased:
        """Delete the person from every directory and keep a hash, so that later events do not bring them back."""

    async def unsuppress(self, user_id: str) -> bool:
        """Lift a suppression; whether there was one. What was deleted stays deleted."""

    async def merge(self, winner: int, loser: int, by: str) -> Merged:
        """Make one contact of two: per field the later value. Raises ``RejectedError`` (``unknown_contact``,
        ``same_contact``, ``other_directory``)."""

    async def unmerge(self, loser: int, by: str) -> Merged:
        """Take a merge back: what was written since stays with the winner. Raises ``RejectedError``
        (``unknown_contact``, ``not_merged``, and ``merged_since`` while a later merge has to be taken back first)."""

    async def create_list(self, directory: str, name: str) -> str:
        """The id (``CG_…``) of a new mailing list, which lives beside those of the document."""

    async def rename_list(self, directory: str, list_: str, name: str) -> bool:
        """Whether there is such a list. Raises ``RejectedError`` (``list_of_document``)."""

    async def delete_list(self, directory: str, list_: str) -> bool:
        """Its memberships too, no contact. Raises ``RejectedError`` (``list_of_document``)."""

    async def leave_list(self, directory: str, list_: str, contact: int) -> bool:
        """End a membership; whether there was one."""
