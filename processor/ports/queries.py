"""Reading what the services have written: what the API and the command line ask of the database.

Every method raises ``UnavailableError`` when the database is away. Contacts that were merged away are left out of
lists, searches and counts; asked for by id they answer as the contact that has them now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

__all__ = [
    "ContactRow",
    "Criterion",
    "DateCriterion",
    "DeadLetterRow",
    "DeadLetterSummary",
    "DirectoryRow",
    "EffectRow",
    "Ledger",
    "LedgerRow",
    "ListCriterion",
    "ProcessRow",
    "ProgressRow",
    "Queries",
    "TextCriterion",
    "TransactionRow",
    "Writer",
]


@dataclass(frozen=True, slots=True)
class DirectoryRow:
    """A directory that the database knows; one of the document without a row has no contacts yet."""

    id: str
    name: str
    contacts: int


@dataclass(frozen=True, slots=True)
class Writer:
    """Which event wrote a field: ``rank`` 0 is an initial value, ``at`` the event's time."""

    rank: int
    at: datetime | None
    message: str
    mapping: str


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact, with the writer of each of its fields by name (``email``, ``embeddedData.plan``)."""

    id: int
    directory: str
    ext_ref: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    language: str | None
    unsubscribed: bool | None
    embedded: Mapping[str, str]
    created_at: datetime
    modified_at: datetime
    made_by: Mapping[str, str] = field(default_factory=dict)
    """``rule``, ``message`` and ``mapping`` of the event that made the contact."""
    writers: Mapping[str, Writer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """One transaction of one contact. ``key`` is the 16-byte effect key, the public CTR_ another spelling of it."""

    key: bytes
    contact: int
    date: datetime
    data: Mapping[str, str]
    mailing_list: str | None
    source: str
    mapping: str
    message: str
    revision: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Records of one source on one topic, as one service has counted them; each record in exactly one class."""

    service: str
    topic: str
    source: str
    applied: int
    dead: int
    filtered: Mapping[str, int]
    """By reason (``domain.outcome.FILTERED_REASONS``), every reason named."""
    expired: int
    holes: int

    @property
    def read(self) -> int:
        return self.applied + self.dead + sum(self.filtered.values())


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What one mapping's effects became: emitted = changed + repeated + superseded + suppressed + rejected."""

    service: str
    topic: str
    mapping: str
    emitted: int
    changed: int
    repeated: int
    superseded: int
    suppressed: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole ledger at one moment. ``unaccounted`` by service; anything but 0 is a fault of ours."""

    rows: Sequence[LedgerRow]
    effects: Sequence[EffectRow]
    unaccounted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """A refused record or mapping, without what it holds."""

    id: int
    service: str
    topic: str
    partition: int
    offset: int
    mapping: str
    code: str
    reason: str
    source: str
    message: str
    state: str
    received: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """The same with the bytes as they came; they may hold personal data."""

    summary: DeadLetterSummary
    headers: Any = field(repr=False)
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process as it last reported itself. Older than ten seconds: it is gone or stuck."""

    instance: str
    service: str
    revision: int
    state: str
    reason: str
    since: datetime
    seen_at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """Where a service stands in a partition."""

    service: str
    topic: str
    partition: int
    topic_id: UUID
    epoch: int
    owner: str
    start_offset: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class TextCriterion:
    """Trimmed and without regard to case; a contact without a value is unequal to every value."""

    field: Literal["email", "firstName", "lastName", "language", "phone", "extRef"]
    comparison: Literal["eq", "neq"]
    value: str


@dataclass(frozen=True, slots=True)
class DateCriterion:
    """``value`` has a time zone."""

    field: Literal["created", "lastModified"]
    comparison: Literal["gt", "lt", "gte", "lte"]
    value: datetime


@dataclass(frozen=True, slots=True)
class ListCriterion:
    """Members of a mailing list, or everybody else."""

    comparison: Literal["eq", "neq"]
    list: str


Criterion = TextCriterion | DateCriterion | ListCriterion


class Queries(Protocol):
    """Pages come in a fixed order and continue after the last row of the page before."""

    async def directories(self) -> Sequence[DirectoryRow]: ...

    async def contact(self, id_: int, directory: str | None = None) -> ContactRow | None:
        """By number, in that directory or in any; a merged contact answers as its winner."""

    async def contacts(self, directory: str, after: int, limit: int) -> Sequence[ContactRow]:
        """In the order of their numbers, those greater than ``after``."""

    async def search(
        self, directory: str | None, criteria: Sequence[Criterion], after: int, limit: int
    ) -> Sequence[ContactRow]:
        """The contacts that meet every criterion, ordered as ``contacts`` are; ``None``: of all directories."""

    async def transactions(
        self, contact: int, after: tuple[datetime, bytes] | None, limit: int
    ) -> Sequence[TransactionRow]:
        """Oldest first, those later than ``after`` (date and key)."""

    async def transaction(self, contact: int, keys: tuple[bytes, bytes]) -> TransactionRow | None:
        """The contact's transaction whose key lies in the range, both ends inclusive (``ids.transaction_range``)."""

    async def ledger(self) -> Ledger:
        """Read at one moment, so that it adds up even while services write."""

    async def dead_letters(
        self, mapping: str | None = None, code: str | None = None, source: str | None = None, limit: int = 50
    ) -> Sequence[DeadLetterSummary]:
        """Newest first."""

    async def dead_letter(self, id_: int) -> DeadLetterRow | None: ...

    async def processes(self) -> Sequence[ProcessRow]: ...

    async def progress(self) -> Sequence[ProgressRow]: ...
