"""Mailing lists as writing sees them: which exist, and who is to be in them."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from processor.adapters.postgres.target import Target
from processor.domain.directory.command import Command

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["join", "known_lists"]

_JOIN = (
    "INSERT INTO list_members (dir, list, contact) SELECT $1, l, c FROM unnest($2::text[], $3::bigint[]) u (l, c)"
    " ORDER BY l, c ON CONFLICT DO NOTHING"
)
_OPT = (
    "INSERT INTO list_members AS m (dir, list, contact, unsubscribed, unsubscribed_at)"
    " SELECT $1, l, c, o, CASE WHEN o THEN now() END FROM unnest($2::text[], $3::bigint[], $4::bool[]) u (l, c, o)"
    " ORDER BY l, c ON CONFLICT (dir, list, contact) DO UPDATE SET unsubscribed = excluded.unsubscribed,"
    " unsubscribed_at = excluded.unsubscribed_at WHERE m.unsubscribed <> excluded.unsubscribed"
)


async def known_lists(connection: "Connection", target: Target, commands: Sequence[Command]) -> frozenset[str]:
    """The mailing lists that exist, of those that the commands name: the document's, and those that the API made.

    Who deletes one of these holds the exclusive lock.
    """
    named = set()
    for command in commands:
        if command.transaction is not None and command.transaction.mailing_list is not None:
            named.add(command.transaction.mailing_list)
        if command.memberships:
            named.update(membership.mailing_list for membership in command.memberships)
    known = named.intersection(list_ for list_, _ in target.directory.mailing_lists)
    if known == named:
        return frozenset(known)
    found = await connection.fetch(
        "SELECT id FROM mailing_lists WHERE dir = $1 AND id = ANY($2::text[])", target.number, sorted(named)
    )
    return frozenset(row["id"] for row in found) | known


async def join(
    connection: "Connection",
    number: int,
    commands: Sequence[Command],
    contacts: Sequence[int | None],
    added: Collection[int],
) -> None:
    """Put people into lists: those of the transactions that were ``added`` (positions), and those of memberships,
    which may say whether the person opted out of that list; the last word counts."""
    wanted: dict[tuple[str, int], bool | None] = {}
    for position in added:
        command, contact = commands[position], contacts[position]
        if command.transaction is not None and command.transaction.mailing_list is not None and contact is not None:
            wanted.setdefault((command.transaction.mailing_list, contact))
    for command, contact in zip(commands, contacts, strict=True):
        if command.memberships and contact is not None:
            for list_, unsubscribed in command.memberships:
                _add(wanted, (list_, contact), unsubscribed)
    silent = sorted(place for place, unsubscribed in wanted.items() if unsubscribed is None)
    if silent:
        await connection.execute(_JOIN, number, [list_ for list_, _ in silent], [contact for _, contact in silent])
    told = sorted((*place, unsubscribed) for place, unsubscribed in wanted.items() if unsubscribed is not None)
    if told:
        await connection.execute(_OPT, number, *map(list, zip(*told, strict=True)))


def _add(wanted: dict[tuple[str, int], bool | None], place: tuple[str, int], unsubscribed: bool | None) -> None:
    if unsubscribed is not None or place not in wanted:
        wanted[place] = unsubscribed
