"""The one write path of a directory: find under lock, fold, upsert (schema section 4).

``write`` runs inside the caller's transaction: the fenced commit of a batch, a write of the API, a workflow's task.
Locks are taken in one order everywhere, progress, then contacts by id, then keys by value: so there is no cycle.
What was read without a lock is checked when it is written (``prev``); a difference is a ``StaleError``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import TYPE_CHECKING

from processor.adapters.postgres import contacts, erasing, memberships, merges
from processor.adapters.postgres.keys import StaleError, read_keys, write_keys
from processor.adapters.postgres.target import Target
from processor.adapters.postgres.transactions import insert_transactions
from processor.domain.directory.command import Command, CommandResult
from processor.domain.directory.working import Working
from processor.domain.outcome import Rejection

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["ContactIds", "StaleError", "Written", "write"]

_BLOCK = 1_000  # the increment of the sequence contact_ids


class ContactIds:
    """Ids for new contacts, a thousand at a time from the sequence; a process that dies leaves a gap."""

    def __init__(self) -> None:
        self._free: list[int] = []

    async def reserve(self, connection: "Connection", count: int) -> None:
        """Make sure that ``take`` can be called ``count`` times."""
        while (missing := count - len(self._free)) > 0:  # others take some while we wait
            found = await connection.fetch(
                "SELECT nextval('contact_ids') AS n FROM generate_series(1, $1)", -(-missing // _BLOCK)
            )
            blocks = [range(row["n"], row["n"] + _BLOCK) for row in reversed(found)]
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


async def write(connection: "Connection", target: Target, commands: Sequence[Command], ids: ContactIds) -> Written:
    """Apply commands in their order, later ones seeing earlier ones, and all that hangs on them.

    The caller holds the directory's lock, for a command that forgets somebody the exclusive one. Raises
    ``StaleError``: the caller rolls back and repeats under the exclusive lock.
    """
    written = Written()
    for forgetting, part in groupby(commands, key=lambda command: command.forget is not None):
        if not forgetting:
            await _write(connection, target, list(part), ids, written)
            continue
        for command in part:
            _, changed = await erasing.forget(connection, target, command.forget or "", command.mapping)
            written.results.append("changed" if changed else "repeated")
            written.contacts.append(None)
    return written


async def _write(
    connection: "Connection", target: Target, commands: Sequence[Command], ids: ContactIds, written: Written
) -> None:
    working = await _read(connection, target, commands, ids)
    await ids.reserve(connection, len(commands))
    became = [working.apply(command) for command in commands]
    found = [contact for contact, _ in became]
    results = [
        replace(result, mapping=command.mapping) if isinstance(result, Rejection) else result
        for command, (_, result) in zip(commands, became, strict=True)
    ]
    await write_keys(connection, target.number, working.keys, exclusive=target.exclusive)
    await contacts.write_contacts(connection, target.number, working)
    if working.merges:
        await merges.note(connection, target.number, working)
    added = await insert_transactions(connection, target, commands, found, working.winner)
    for position, command in enumerate(commands):
        if command.transaction is not None and found[position] is not None:
            results[position] = "changed" if position in added else "repeated"
    now = [None if c is None else working.winner(c) for c in found] if working.winners else found
    await memberships.join(connection, target.number, commands, now, added)
    written.results += results
    written.contacts += now
    written.ambiguous += working.ambiguous


async def _read(connection: "Connection", target: Target, commands: Sequence[Command], ids: ContactIds) -> Working:
    """Keys without a lock, then their contacts with one; a contact that no longer yields its key is stale."""
    lists = await memberships.known_lists(connection, target, commands)
    ownership, waiting = await read_keys(connection, target.number, _keys(commands), exclusive=target.exclusive)
    named, winners = await contacts.named_contacts(connection, target.number, commands)
    working = Working(target.directory.merge_rules, target.storing, ownership, ids.take, lists, winners)
    wanted = named | waiting | {owner for owner in ownership.owners.values() if owner}
    if wanted:
        await contacts.lock_contacts(connection, target.number, sorted(wanted), working)
    if not named <= working.contacts.keys():
        raise StaleError("a contact that was named was merged or deleted meanwhile")
    for key in working.orphans():
        if not target.exclusive:
            raise StaleError("a contact no longer carries a key that led to it")
        ownership.orphan(key)
    return working


def _keys(commands: Sequence[Command]) -> list[bytes]:
    """Every key that some command looks by, sorted."""
    keys = set(chain.from_iterable([command.keys for command in commands]))
    keys.update([command.guard for command in commands if command.guard is not None])
    keys.update([command.formerly for command in commands if command.formerly is not None])
    return sorted(keys)
