"""Reading mailing lists: those of the document and those that were made through the API.

Every method raises ``UnavailableError`` when the database is away. Pages are as in ``ports.queries``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from processor.ports.queries import ContactRow

__all__ = ["ListQueries", "MailingListRow", "MemberRow"]


@dataclass(frozen=True, slots=True)
class MailingListRow:
    """A list and how many are in it. ``of_document``: it belongs to the configuration, which alone changes it."""

    id: str
    name: str
    of_document: bool
    created_at: datetime
    members: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A contact in a list. ``unsubscribed``: from this list; the contact has an opt-out of its own."""

    contact: ContactRow
    unsubscribed: bool
    unsubscribed_at: datetime | None
    joined_at: datetime


class ListQueries(Protocol):
    """A list that does not exist has no members; ask for the list itself to know."""

    async def mailing_lists(self, directory: str, after: str, limit: int) -> Sequence[MailingListRow]:
        """In the order of their ids, those greater than ``after``."""

    async def mailing_list(self, directory: str, list_: str) -> MailingListRow | None: ...

    async def members(self, directory: str, list_: str, after: int, limit: int) -> Sequence[MemberRow]:
        """In the order of the contacts' numbers, those greater than ``after``."""

    async def member(self, directory: str, list_: str, contact: int) -> MemberRow | None:
        """By the contact's number; a merged contact answers as its winner."""
