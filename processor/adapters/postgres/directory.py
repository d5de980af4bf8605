"""The one write path of a directory: find under lock, fold, upsert (schema section 4).

``write`` runs inside the caller's transaction: the fenced commit of a batch, a write of the API, a workflow's task.
Locks are taken in one order everywhere, progress, then contacts by id, then keys by value: so there is no cycle.
What was read without a lock is checked when it is written (``prev``); a difference is a ``StaleError``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from processor.domain.directory.command import Command, CommandResult
from processor.domain.directory.contact import Contact, fold
from processor.domain.directory.matching import IMPLICIT, stored_keys
from processor.domain.directory.row import from_row, to_row
from processor.domain.outcome import Rejection
from processor.domain.rules import Directory
from processor.errors import IsthmusError

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["ContactIds", "StaleError", "Written", "write"]

_COLUMNS = (
    "ext_ref", "email", "phone", "first_name", "last_name", "language", "unsubscribed", "embedded", "why",
)  # fmt: skip
_UPDATE = (
    "UPDATE contacts c SET ext_ref = x, email = e, phone = p, first_name = f, last_name = l, language = g,"
    " unsubscribed = u, embedded = m, why = w, modified_at = now() FROM unnest($2::bigint[], $3::text[], $4::text[],"
    " $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[], $10::jsonb[], $11::json[])"
    " AS t (i, x, e, p, f, l, g, u, m, w) WHERE c.id = t.i AND c.dir = $1"
)
_BLOCK = 1_000  # the increment of the sequence contact_ids
_NOBODY = Rejection("unknown_contact", "no contact has that id: remove contactId, or name one that exists")


class StaleError(IsthmusError):
    """Somebody else wrote a contact or a key between our reading and our writing: roll back and do it again."""

    code = "stale"


class ContactIds:
    """Ids for new contacts, a thousand at a time from the sequence; a process that dies leaves a gap."""

    def __init__(self) -> None:
        self._free: list[int] = []

    async def reserve(self, connection: "Connection", count: int) -> None:
        """Make sure that ``take`` can be called ``count`` times."""
        missing = -(-(count - len(self._free)) // _BLOCK)
        if missing > 0:
            rows = await connection.fetch("SELECT nextval('contact_ids') AS n FROM generate_series(1, $1)", missing)
            blocks = [range(row["n"], row["n"] + _BLOCK) for row in reversed(rows)]
            self._free = list(chain.from_iterable(reversed(block) for block in blocks)) + self._free

    def take(self) -> int:
        return self._free.pop()


@dataclass(slots=True)
class Written:
    """What became of each command, in their order, and the contact that each was about."""

    results: list[CommandResult | Rejection] = field(default_factory=list)
    contacts: list[int | None] = field(default_factory=list)
    ambiguous: int = 0
    """Commands whose keys led to more than one contact; the first rule that had a match decided."""


@dataclass(slots=True)
class _State:
    """The part of a directory that one transaction has read, and what it does to it."""

    directory: Directory
    key_fields: frozenset[str]
    contacts: dict[int, Contact] = field(default_factory=dict)
    made_by: dict[int, Mapping[str, str]] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    made: set[int] = field(default_factory=set)
    before: dict[bytes, int | None] = field(default_factory=dict)
    """Key to its contact, as it was read; what was not read is not in here."""
    owners: dict[bytes, int | None] = field(default_factory=dict)
    """Key to its contact as it shall be."""
    freed: dict[bytes, int] = field(default_factory=dict)
    """Keys that nobody looked by, to the contact that no longer carries them."""


async def write(
    connection: "Connection", number: int, directory: Directory, commands: Sequence[Command], ids: ContactIds
) -> Written:
    """Apply commands in their order, later ones seeing earlier ones. ``number``: the directory's row.

    The caller holds the directory's advisory lock. Raises ``StaleError``; the caller rolls back and repeats under
    the exclusive lock. Transactions of the commands are the caller's to insert.
    """
    state = _State(directory, frozenset(chain(IMPLICIT, *directory.merge_rules)))
    keys = sorted(set(chain.from_iterable(command.keys for command in commands)))
    await _read(connection, number, state, keys, _named(commands))
    await ids.reserve(connection, len(commands))
    written = Written()
    for command in commands:
        contact, result = _one(state, command, ids, written)
        written.contacts.append(contact)
        written.results.append(result)
    await _write_keys(connection, number, state)
    await _write_contacts(connection, number, state)
    return written


def _named(commands: Sequence[Command]) -> set[int]:
    named = {command.contact for command in commands} | {command.unmatched for command in commands}
    return {number for number in named if number is not None}


async def _read(connection: "Connection", number: int, state: _State, keys: list[bytes], named: set[int]) -> None:
    """Keys without a lock, then their contacts with one; a contact that no longer yields its key is stale."""
    rows = await connection.fetch(
        "SELECT key, contact FROM match_keys WHERE dir = $1 AND key = ANY($2::bytea[])", number, keys
    )
    state.before = dict.fromkeys(keys)
    state.before.update((row["key"], row["contact"]) for row in rows)
    state.owners = dict(state.before)
    wanted = named | {contact for contact in state.before.values() if contact is not None}
    if wanted:
        await _lock(connection, number, state, sorted(wanted))
    rules = state.directory.merge_rules
    carried = {contact: stored_keys(rules, held.values) for contact, held in state.contacts.items()}
    for key, contact in state.before.items():
        if contact is not None and key not in carried.get(contact, ()):
            raise StaleError(f"contact {contact} no longer carries a key that led to it")


async def _lock(connection: "Connection", number: int, state: _State, wanted: list[int]) -> None:
    rows = await connection.fetch(
        "SELECT id, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded, why"
        " FROM contacts WHERE id = ANY($1::bigint[]) AND dir = $2 AND merged_into IS NULL ORDER BY id FOR UPDATE",
        wanted,
        number,
    )
    for row in rows:
        contact, *standard, embedded, why = row
        state.contacts[contact] = from_row(standard, embedded, why)
        state.made_by[contact] = why["by"]


def _one(
    state: _State, command: Command, ids: ContactIds, written: Written
) -> tuple[int | None, CommandResult | Rejection]:
    contact = command.contact
    if contact is None:
        owners = [owner for key in command.keys if (owner := state.owners.get(key)) is not None]
        written.ambiguous += len(owners) > 1 and len(set(owners)) > 1
        contact = owners[0] if owners else command.unmatched
    elif contact not in state.contacts:
        return None, _NOBODY
    before = state.contacts.get(contact) if contact is not None else None
    after, result = fold(before or Contact(), command)
    if before is None:
        contact = contact if contact is not None else ids.take()
        state.made.add(contact)
        state.made_by[contact] = {"message": command.message_id, "mapping": command.mapping}
        result = "changed"
    elif result != "changed":
        return contact, result
    assert contact is not None  # noqa: S101 - for the type checker: found, named or just taken
    state.contacts[contact] = after
    state.dirty.add(contact)
    if before is None:
        _take(state, contact, stored_keys(state.directory.merge_rules, after.values, command.keys))
    else:
        _move_keys(state, contact, before, after)
    return contact, result


def _take(state: _State, contact: int, keys: Sequence[bytes]) -> None:
    """Give the contact the keys that nobody has."""
    for key in keys:
        if state.owners.get(key) is None:
            state.owners[key] = contact


def _move_keys(state: _State, contact: int, before: Contact, after: Contact) -> None:
    """Give the contact the keys of its new values, unless another has them, and free those it lost."""
    if all(before.values.get(name) == after.values.get(name) for name in state.key_fields):
        return
    rules = state.directory.merge_rules
    new = stored_keys(rules, after.values)
    _take(state, contact, new)
    for key in stored_keys(rules, before.values):
        if key in new:
            continue
        if key not in state.owners:
            state.freed[key] = contact
        elif state.owners[key] == contact:
            state.owners[key] = None


async def _write_keys(connection: "Connection", number: int, state: _State) -> None:
    unread = sorted(key for key in state.owners.keys() | state.freed.keys() if key not in state.before)
    if unread:  # keys of a contact's combined values, by which nobody looked
        rows = await connection.fetch(
            "SELECT key, contact FROM match_keys WHERE dir = $1 AND key = ANY($2::bytea[])", number, unread
        )
        state.before.update(dict.fromkeys(unread))
        state.before.update((row["key"], row["contact"]) for row in rows)
        for key in unread:
            if state.before[key] is not None:
                free = state.before[key] == state.freed.get(key)
                state.owners[key] = state.owners.get(key) if free else state.before[key]
            else:
                state.owners.setdefault(key, None)
    moved = sorted(key for key, owner in state.owners.items() if owner != state.before[key])
    if not moved:
        return
    done = await connection.execute(
        "INSERT INTO match_keys AS m (dir, key, contact, prev)"
        " SELECT $1, k, c, p FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) u (k, c, p) ORDER BY k"
        " ON CONFLICT (dir, key) DO UPDATE SET contact = excluded.contact, prev = excluded.prev"
        " WHERE m.contact IS NOT DISTINCT FROM excluded.prev",
        number,
        moved,
        [state.owners[key] for key in moved],
        [state.before[key] for key in moved],
    )
    if int(done.rsplit(" ", 1)[1]) != len(moved):
        raise StaleError("a key was taken by somebody else meanwhile")


async def _write_contacts(connection: "Connection", number: int, state: _State) -> None:
    """New contacts by COPY, which is a fifth faster than an insert; the others by one update.

    A process that freezes within COPY is ended by the others' heartbeat (docs/decisions.md, 20), by no time-out.
    """
    rows = {contact: to_row(state.contacts[contact], state.made_by[contact]) for contact in sorted(state.dirty)}
    new = [
        (contact, number, *standard, embedded, why)
        for contact, (standard, embedded, why) in rows.items()
        if contact in state.made
    ]
    if new:
        await connection.copy_records_to_table("contacts", records=new, columns=("id", "dir", *_COLUMNS), timeout=30)
    old = [contact for contact in rows if contact not in state.made]
    if old:
        standard = zip(*(rows[contact][0] for contact in old), strict=True)
        embedded = [rows[contact][1] for contact in old]
        await connection.execute(_UPDATE, number, old, *standard, embedded, [rows[contact][2] for contact in old])
