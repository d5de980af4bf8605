"""What an event, an API call or a workflow task wants of a directory: the one language of the write path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["EMBEDDED", "STANDARD_FIELDS", "Command", "CommandResult", "Membership", "Stamp", "Transaction", "Value"]

Value = str | bool | None
"""A field's value: text, the opt-out as a boolean, or ``None``: cleared on purpose."""

STANDARD_FIELDS = ("extRef", "email", "phone", "firstName", "lastName", "language", "unsubscribed")
EMBEDDED = "embeddedData."
"""Prefix of an embedded field's name in ``Command.values``: ``embeddedData.plan``."""

Stamp = tuple[int, int, str, str]
"""(rank, time in ms, messageId, mapping id): the greatest writes the field, ties go to the greater value bytes.
Rank 1 is an ordinary value. Rank 0 is an ``initial`` one: it loses to any other and its time is negated,
so that among initial values the earliest wins (design section 5, schema section 5)."""

CommandResult = Literal["changed", "repeated", "superseded", "suppressed"]
"""``suppressed``: the person asked to be forgotten, and nothing was written."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A dated interaction. ``key`` is the 16-byte effect key; ``date_ms`` milliseconds since 1970, UTC."""

    key: bytes
    date_ms: int
    data: Mapping[str, str]
    mailing_list: str | None = None


class Membership(NamedTuple):
    """The person is to be in a mailing list. ``unsubscribed``: the opt-out of that list, ``None`` leaves it alone."""

    mailing_list: str
    unsubscribed: bool | None = None


class Command(NamedTuple):
    """Create or update one person of one directory and, with ``transaction``, add that to the person.

    ``values`` and ``initial`` map field names (``STANDARD_FIELDS`` or ``embeddedData.NAME``) to values; an absent
    name means "no value" and never erases, ``None`` in ``values`` clears. ``initial`` counts on creation only.
    """

    directory: str
    mapping: str
    source: str
    message_id: str
    at_ms: int
    values: Mapping[str, Value] = MappingProxyType({})
    initial: Mapping[str, Value] = MappingProxyType({})
    keys: Sequence[bytes] = ()
    """By which the person can be found (``matching.lookup_keys``); the first that has a contact decides."""
    transaction: Transaction | None = None
    contact: int | None = None
    """The contact's id, where the caller names it instead of leaving it to the merge rules; it must exist."""
    dropped: int = 0
    """Embedded fields that were left out because their name or value is too long."""
    unmatched: int | None = None
    """The id of the contact to make when nobody can be found by these values (``create_unmatched``)."""
    guard: bytes | None = None
    """The key of extRef where it is none of ``keys``: a person suppressed by it is never written."""
    formerly: bytes | None = None
    """The key of the extRef that the person had so far: the contact that has it gets the one in ``values``, or is
    merged into the contact that has that one (``stitch``)."""
    absorbs: int | None = None
    """The id of a contact to be merged into ``contact``."""
    forget: str | None = None
    """The user id of somebody to be deleted and suppressed; nothing else of the command counts then."""
    memberships: Sequence[Membership] = ()
    """Lists that the person is to be in, beside a transaction's; one that nobody knows rejects the command."""
