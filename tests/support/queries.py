"""``Queries`` over lists, for tests of what stands above the database; as exact as the tests need it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from processor.domain.rules import Directory
from processor.errors import UnavailableError
from processor.ports.lists import MailingListRow, MemberRow
from processor.ports.merges import DuplicatePair, MergeRow
from processor.ports.queries import (
    ContactRow,
    Criterion,
    DeadLetterRow,
    DeadLetterSummary,
    DirectoryRow,
    Ledger,
    ProcessRow,
    ProgressRow,
    TextCriterion,
    TransactionRow,
)

__all__ = ["ListedLists", "ListedMerges", "ListedQueries"]


@dataclass
class ListedQueries:
    """Contacts and transactions are expected in the order of their pages. ``away``: every call fails."""

    all_contacts: list[ContactRow] = field(default_factory=list)
    all_transactions: list[TransactionRow] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)
    the_ledger: Ledger = field(default_factory=lambda: Ledger([], [], {}))
    letters: list[DeadLetterRow] = field(default_factory=list)
    away: bool = False
    broken: bool = False
    criteria: Sequence[Criterion] = ()

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("PostgreSQL: secret detail", "postgres_away")
        if self.broken:
            raise KeyError("secret detail")

    async def directories(self) -> Sequence[DirectoryRow]:
        self._answer()
        ids = dict.fromkeys(row.directory for row in self.all_contacts)
        return [DirectoryRow(id_, id_, sum(r.directory == id_ for r in self.all_contacts)) for id_ in ids]

    async def contact(self, id_: int, directory: str | None = None) -> ContactRow | None:
        self._answer()
        wanted = self.merged.get(id_, id_)
        found = (r for r in self.all_contacts if r.id == wanted and directory in (None, r.directory))
        return next(found, None)

    async def contacts(self, directory: str, after: int, limit: int) -> Sequence[ContactRow]:
        self._answer()
        return [r for r in self.all_contacts if r.directory == directory and r.id > after][:limit]

    async def search(
        self, directory: str | None, criteria: Sequence[Criterion], after: int, limit: int
    ) -> Sequence[ContactRow]:
        self._answer()
        self.criteria = criteria
        columns = {"email": "email", "extRef": "ext_ref", "phone": "phone", "lastName": "last_name"}
        rows = [r for r in self.all_contacts if directory in (None, r.directory) and r.id > after]
        for criterion in criteria:
            if not isinstance(criterion, TextCriterion):
                continue
            column = columns[criterion.field]
            same = criterion.comparison == "eq"
            rows = [r for r in rows if ((getattr(r, column) or "").lower() == criterion.value.lower()) is same]
        return rows[:limit]

    async def transactions(
        self, contact: int, after: tuple[datetime, bytes] | None, limit: int
    ) -> Sequence[TransactionRow]:
        self._answer()
        rows = [t for t in self.all_transactions if t.contact == contact]
        return [t for t in rows if after is None or (t.date, t.key) > after][:limit]

    async def transaction(self, contact: int, keys: tuple[bytes, bytes]) -> TransactionRow | None:
        self._answer()
        least, greatest = keys
        rows = (t for t in self.all_transactions if t.contact == contact and least <= t.key <= greatest)
        return next(rows, None)

    async def ledger(self) -> Ledger:
        self._answer()
        return self.the_ledger

    async def dead_letters(
        self, mapping: str | None = None, code: str | None = None, source: str | None = None, limit: int = 50
    ) -> Sequence[DeadLetterSummary]:
        self._answer()
        rows = [letter.summary for letter in self.letters]
        return [
            r for r in rows if mapping in (None, r.mapping) and code in (None, r.code) and source in (None, r.source)
        ][:limit]

    async def dead_letter(self, id_: int) -> DeadLetterRow | None:
        self._answer()
        return next((letter for letter in self.letters if letter.summary.id == id_), None)

    async def processes(self) -> Sequence[ProcessRow]:
        return []

    async def progress(self) -> Sequence[ProgressRow]:
        return []


@dataclass
class ListedLists:
    """``ListQueries`` over lists, of one directory."""

    lists: list[MailingListRow] = field(default_factory=list)
    rows: dict[str, list[MemberRow]] = field(default_factory=dict)

    async def mailing_lists(self, directory: str, after: str, limit: int) -> Sequence[MailingListRow]:
        return [row for row in self.lists if row.id > after][:limit]

    async def mailing_list(self, directory: str, list_: str) -> MailingListRow | None:
        return next((row for row in self.lists if row.id == list_), None)

    async def members(self, directory: str, list_: str, after: int, limit: int) -> Sequence[MemberRow]:
        return [row for row in self.rows.get(list_, []) if row.contact.id > after][:limit]

    async def member(self, directory: str, list_: str, contact: int) -> MemberRow | None:
        return next((row for row in self.rows.get(list_, []) if row.contact.id == contact), None)


@dataclass
class ListedMerges:
    """``MergeQueries`` over lists."""

    pairs: list[DuplicatePair] = field(default_factory=list)
    merges: list[MergeRow] = field(default_factory=list)

    async def duplicates(self, directories: Sequence[Directory], limit: int) -> Sequence[DuplicatePair]:
        ids = {directory.id for directory in directories}
        return [pair for pair in self.pairs if pair.directory in ids][:limit]

    async def merged_into(self, contact: int) -> Sequence[MergeRow]:
        return [row for row in self.merges if row.winner == contact]
