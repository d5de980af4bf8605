"""Contacts that were made one: remembered so that it can be taken back (schema section 4).

The loser's row stays as it was, under ``merged_into``; ``snapshot`` holds what the winner was before and after, and
the lists that each was in. Transactions that change hands keep in ``recorded_for`` whose they were.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from processor.adapters.postgres.contacts import SELECT_CONTACTS, write_contacts
from processor.adapters.postgres.keys import read_keys, write_keys
from processor.adapters.postgres.target import Target
from processor.domain.directory.contact import carried
from processor.domain.directory.joining import Merge, separate
from processor.domain.directory.row import from_row, to_row
from processor.domain.directory.working import Working
from processor.errors import RejectedError
from processor.ports.directory import Merged

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["changed_hands", "note", "unmerge"]

_Lists = Mapping[int, Mapping[str, bool]]
_LOSERS = (
    "WITH RECURSIVE lost AS (SELECT $1::bigint AS id UNION ALL"
    " SELECT c.id FROM lost JOIN contacts c ON c.merged_into = lost.id) SELECT id FROM lost"
)


async def note(connection: "Connection", number: int, working: Working) -> None:
    """Write the merges of a transaction whose contacts and keys are written."""
    for merge in working.merges:
        lists = await _lists(connection, number, (merge.winner, merge.loser))
        await connection.execute(
            "INSERT INTO merges (dir, winner, loser, keys, snapshot, by) VALUES ($1, $2, $3, $4, $5, $6)",
            number,
            merge.winner,
            merge.loser,
            _moved(working, merge),
            {
                "before": to_row(merge.before, {}),
                "after": to_row(merge.after, {}),
                "lists": [lists[merge.winner], lists[merge.loser]],
            },
            merge.by,
        )
        await connection.execute(
            "UPDATE contacts SET merged_into = $2, modified_at = now() WHERE id = $1", merge.loser, merge.winner
        )
        await connection.execute(
            "UPDATE transactions SET contact = $2, recorded_for = coalesce(recorded_for, contact) WHERE contact = $1",
            merge.loser,
            merge.winner,
        )
        await connection.execute(
            "INSERT INTO list_members AS m (dir, list, contact, unsubscribed, unsubscribed_at, joined_at)"
            " SELECT dir, list, $3, unsubscribed, unsubscribed_at, joined_at FROM list_members"
            " WHERE dir = $1 AND contact = $2 ORDER BY list ON CONFLICT (dir, list, contact) DO UPDATE"
            " SET unsubscribed = true, unsubscribed_at = excluded.unsubscribed_at"
            " WHERE excluded.unsubscribed AND NOT m.unsubscribed",
            number,
            merge.loser,
            merge.winner,
        )
        await connection.execute("DELETE FROM list_members WHERE contact = $1", merge.loser)


async def changed_hands(connection: "Connection", winner: int, loser: int) -> int:
    """How many of the winner's transactions are the loser's."""
    found = await connection.fetchval(
        f"SELECT count(*) FROM transactions WHERE contact = $2 AND recorded_for IN ({_LOSERS})",  # noqa: S608
        loser,
        winner,
    )
    return int(found)


async def unmerge(connection: "Connection", target: Target, loser: int, by: str) -> Merged:
    """Take the merge of this contact back, under the exclusive lock. Raises ``RejectedError``."""
    merge = await connection.fetchrow(
        "SELECT m.id, m.winner, m.keys, m.snapshot, m.merged_at, w.merged_into, EXISTS (SELECT FROM merges l"
        " WHERE l.winner = m.winner AND l.id > m.id AND l.undone_at IS NULL) AS followed FROM merges m"
        " JOIN contacts w ON w.id = m.winner WHERE m.loser = $1 AND m.dir = $2 AND m.undone_at IS NULL",
        loser,
        target.number,
    )
    if merge is None:
        raise RejectedError("not_merged", "this contact was not merged into another: there is nothing to take back")
    if merge["merged_into"] is not None or merge["followed"]:
        raise RejectedError("merged_since", "its winner was merged since: take the later merge back first")
    winner = merge["winner"]
    await _separate(connection, target, (winner, loser), (merge["snapshot"], merge["keys"]))
    await connection.execute("UPDATE contacts SET merged_into = NULL, modified_at = now() WHERE id = $1", loser)
    done = await connection.execute(
        "UPDATE transactions SET contact = $1, recorded_for = nullif(recorded_for, $1)"  # noqa: S608 - of this file
        f" WHERE contact = $2 AND recorded_for IN ({_LOSERS})",
        loser,
        winner,
    )
    await _separate_lists(connection, target.number, (winner, loser), dict(merge))
    await connection.execute("UPDATE merges SET undone_at = now(), undone_by = $2 WHERE id = $1", merge["id"], by)
    return Merged(winner, loser, int(done.rsplit(" ", 1)[1]))


async def _separate(
    connection: "Connection", target: Target, both: tuple[int, int], merge: tuple[Mapping[str, Any], Sequence[bytes]]
) -> None:
    rows = await connection.fetch(f"{SELECT_CONTACTS} WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE", both)
    contacts = {}
    made_by = {}
    for number, *standard, embedded, why in rows:
        contacts[number] = from_row(standard, embedded, why)
        made_by[number] = why["by"]
    rules = target.directory.merge_rules
    keys = sorted({key for contact in contacts.values() for key in carried(target.storing, contact)} | set(merge[1]))
    ownership, _ = await read_keys(connection, target.number, keys, exclusive=True)
    working = Working(rules, target.storing, ownership, int, contacts=contacts, made_by=made_by)
    before, after = (from_row(*merge[0][name]) for name in ("before", "after"))
    separate(working, Merge(*both, before, after, ""), frozenset(merge[1]))
    await write_keys(connection, target.number, ownership, exclusive=True)
    await write_contacts(connection, target.number, working)


async def _separate_lists(
    connection: "Connection", number: int, both: tuple[int, int], merge: Mapping[str, Any]
) -> None:
    """The loser's memberships are its own again; what the winner had from it goes, unless it was said anew since."""
    winner, loser = both
    before, given = merge["snapshot"]["lists"]
    await connection.execute(
        "INSERT INTO list_members (dir, list, contact, unsubscribed, unsubscribed_at, joined_at)"
        " SELECT $1, l, $2, o, CASE WHEN o THEN $5::timestamptz END, $5 FROM unnest($3::text[], $4::bool[]) u (l, o)"
        " ORDER BY l ON CONFLICT DO NOTHING",
        number,
        loser,
        list(given),
        list(given.values()),
        merge["merged_at"],
    )
    await connection.execute(
        "DELETE FROM list_members WHERE dir = $1 AND contact = $2 AND list = ANY($3::text[]) AND joined_at <= $4",
        number,
        winner,
        [name for name in given if name not in before],
        merge["merged_at"],
    )
    await connection.execute(
        "UPDATE list_members SET unsubscribed = false, unsubscribed_at = NULL WHERE dir = $1 AND contact = $2"
        " AND list = ANY($3::text[]) AND unsubscribed_at <= $4",
        number,
        winner,
        [name for name, unsubscribed in before.items() if not unsubscribed and given.get(name)],
        merge["merged_at"],
    )


async def _lists(connection: "Connection", number: int, contacts: Sequence[int]) -> _Lists:
    rows = await connection.fetch(
        "SELECT contact, list, unsubscribed FROM list_members WHERE dir = $1 AND contact = ANY($2::bigint[])",
        number,
        contacts,
    )
    found: dict[int, dict[str, bool]] = defaultdict(dict)
    for row in rows:
        found[row["contact"]][row["list"]] = row["unsubscribed"]
    return found


def _moved(working: Working, merge: Merge) -> list[bytes]:
    """The keys that the loser had and the winner has now."""
    owners, heir = working.keys.owners, working.winner(merge.winner)
    return [key for key, owner in working.keys.before.items() if owner == merge.loser and owners[key] == heir]
