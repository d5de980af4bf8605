"""``DirectoryWriter`` in memory, for tests of what stands above the database: it finds, folds and remembers for real.

What it wrote is seen through the ``ListedQueries`` that it is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from support.queries import ListedQueries

from processor.domain.directory.command import EMBEDDED, Command, Value
from processor.domain.directory.contact import Contact, fold
from processor.domain.directory.matching import stored_keys
from processor.domain.outcome import Rejection
from processor.domain.rules import Directory
from processor.errors import UnavailableError
from processor.ports.directory import Became, Erased, Merged
from processor.ports.queries import ContactRow, TransactionRow, Writer

__all__ = ["FoldingWriter"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODY = Rejection("unknown_contact", "no contact has that id: remove contactId, or name one that exists")


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


@dataclass
class FoldingWriter:
    """One directory after another, no two writers at a time. ``suppressed``: keys of people who are not written."""

    queries: ListedQueries
    contacts: dict[int, tuple[str, Contact]] = field(default_factory=dict)
    suppressed: set[bytes] = field(default_factory=set)
    used: dict[bytes, int] = field(default_factory=dict)
    """Idempotency keys and effect keys, and the contact of each."""
    deleted_by: list[str] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    away: bool = False
    _next: int = 100_001

    async def write(
        self, directory: Directory, commands: Sequence[Command], *, revision: int, once: bytes | None = None
    ) -> Sequence[Became]:
        if self.away:
            raise UnavailableError("PostgreSQL: secret detail", "postgres_away")
        self.revisions.append(revision)
        if once is not None and once in self.used:
            return [Became(self.used[once], "repeated")]
        became = [self._one(directory, command, revision) for command in commands]
        if once is not None and became[0].contact is not None:
            self.used[once] = became[0].contact
        return became

    def _one(self, directory: Directory, command: Command, revision: int) -> Became:
        if self.suppressed & {*command.keys, command.guard}:
            return Became(None, "suppressed")
        transaction = command.transaction
        lists = {list_ for list_, _ in directory.mailing_lists}
        if transaction is not None and transaction.mailing_list not in {None, *lists}:
            return Became(None, Rejection("unknown_mailing_list", "no mailing list has that id: name one that exists"))
        number = command.contact if command.contact is not None else self._find(directory, command)
        held = self.contacts.get(number) if number is not None else None
        if command.contact is not None and (held is None or held[0] != directory.id):
            return Became(None, _NOBODY)
        if number is None:
            number, self._next = self._next, self._next + 1
        after, result = fold(held[1] if held else Contact(), command)
        self.contacts[number] = (directory.id, after)
        self._show(directory.id, number, after, command)
        if transaction is not None:
            result = "repeated" if transaction.key in self.used else "changed"
            if result == "changed":
                self.used[transaction.key] = number
                self.queries.all_transactions.append(
                    TransactionRow(
                        transaction.key, number, _moment(transaction.date_ms), dict(transaction.data),
                        transaction.mailing_list, command.source, command.mapping, command.message_id, revision,
                    )
                )  # fmt: skip
                self.queries.all_transactions.sort(key=lambda row: (row.date, row.key))
        return Became(number, "changed" if held is None else result)

    def _find(self, directory: Directory, command: Command) -> int | None:
        for key in command.keys:
            for number, (id_, contact) in sorted(self.contacts.items()):
                if id_ == directory.id and key in stored_keys(directory.merge_rules, contact.values):
                    return number
        return command.unmatched

    def _show(self, directory: str, number: int, contact: Contact, command: Command) -> None:
        values: Mapping[str, Value] = contact.values
        now = _moment(command.at_ms)
        before = next((row for row in self.queries.all_contacts if row.id == number), None)
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        row = ContactRow(
            id=number,
            directory=directory,
            ext_ref=texts.get("extRef"),
            email=texts.get("email"),
            phone=texts.get("phone"),
            first_name=texts.get("firstName"),
            last_name=texts.get("lastName"),
            language=texts.get("language"),
            unsubscribed=values.get("unsubscribed") if isinstance(values.get("unsubscribed"), bool) else None,
            embedded={k.removeprefix(EMBEDDED): v for k, v in texts.items() if k.startswith(EMBEDDED)},
            created_at=before.created_at if before else now,
            modified_at=now,
            made_by={"mapping": command.mapping, "message": command.message_id},
            writers={k: Writer(s[0], _moment(abs(s[1])), s[2], s[3]) for k, s in contact.stamps.items()},
        )
        self.queries.all_contacts[:] = sorted(
            [other for other in self.queries.all_contacts if other.id != number] + [row], key=lambda each: each.id
        )

    async def delete_contact(self, directory: str, contact: int, by: str) -> Erased | None:
        if self.contacts.get(contact, ("",))[0] != directory:
            return None
        del self.contacts[contact]
        self.deleted_by.append(by)
        self.queries.all_contacts[:] = [row for row in self.queries.all_contacts if row.id != contact]
        gone = [row for row in self.queries.all_transactions if row.contact == contact]
        self.queries.all_transactions[:] = [row for row in self.queries.all_transactions if row.contact != contact]
        return Erased(None, 1, len(gone), 0, 0)

    def _in_range(self, keys: tuple[bytes, bytes]) -> int | None:
        rows = enumerate(self.queries.all_transactions)
        return next((place for place, row in rows if keys[0] <= row.key <= keys[1]), None)

    async def delete_transaction(self, directory: str, keys: tuple[bytes, bytes]) -> bool:
        place = self._in_range(keys)
        if place is not None:
            del self.queries.all_transactions[place]
        return place is not None

    async def update_transaction(
        self, directory: str, keys: tuple[bytes, bytes], date_ms: int | None, data: Mapping[str, str] | None
    ) -> bool:
        place = self._in_range(keys)
        if place is None:
            return False
        row = self.queries.all_transactions[place]
        self.queries.all_transactions[place] = replace(
            row,
            date=row.date if date_ms is None else _moment(date_ms),
            data=row.data if data is None else dict(data),
        )
        return True

    async def suppress(self, user_id: str, by: str) -> Erased:
        raise NotImplementedError

    async def unsuppress(self, user_id: str) -> bool:
        raise NotImplementedError

    async def merge(self, winner: int, loser: int, by: str) -> Merged:
        raise NotImplementedError

    async def unmerge(self, loser: int, by: str) -> Merged:
        raise NotImplementedError

    async def create_list(self, directory: str, name: str) -> str:
        raise NotImplementedError

    async def rename_list(self, directory: str, list_: str, name: str) -> bool:
        raise NotImplementedError

    async def delete_list(self, directory: str, list_: str) -> bool:
        raise NotImplementedError

    async def leave_list(self, directory: str, list_: str, contact: int) -> bool:
        raise NotImplementedError
