"""Taking a person away: contact, those merged into it, transactions, memberships, dead letters; counted, not named.

Whoever is also suppressed is remembered as keys that nobody can have (``SUPPRESSED``), written in the same transaction
under the exclusive lock: no batch that read "not suppressed" can bring the person back (schema section 4, step 7).
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from processor.adapters.postgres.contacts import SELECT_CONTACTS
from processor.adapters.postgres.keys import read_keys, write_keys
from processor.adapters.postgres.target import Target
from processor.domain.directory.contact import Contact, carried
from processor.domain.directory.matching import ref_key
from processor.domain.directory.ownership import SUPPRESSED, Ownership
from processor.domain.directory.row import from_row
from processor.domain.events.subjects import subject
from processor.errors import RejectedError
from processor.ports.directory import Erased

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["delete", "forget", "unsuppress"]

_TOLD = ("extRef", "email")
"""Fields of a contact by which a dead letter is known to speak of it."""


async def forget(connection: "Connection", target: Target, user_id: str, by: str) -> tuple[Erased, bool]:
    """Delete and suppress the person in one directory; also whether anything had to be done. The caller holds the
    exclusive lock. Raises ``RejectedError`` for a user id without a character."""
    hash_ = ref_key({"extRef": user_id})
    if hash_ is None:
        raise RejectedError("no_matching_key", "a person to be forgotten needs a user id")
    ownership, waiting = await read_keys(connection, target.number, [hash_], exclusive=True)
    owner = ownership.owners[hash_]
    found = await _family(connection, target.number, waiting | {owner} if owner else waiting)
    keys = sorted({hash_, *_carried(target, found)})
    ownership = await _let_go(connection, target, found, keys)
    for key in keys:
        if ownership.owners[key] is None:
            ownership.owners[key] = SUPPRESSED
    await write_keys(connection, target.number, ownership, exclusive=True)
    taken = [key for key in keys if ownership.owners[key] == SUPPRESSED]
    fresh = await connection.fetchval(
        "INSERT INTO suppressions AS s (hash, dir, keys, by) VALUES ($1, $2, $3, $4) ON CONFLICT (hash, dir) DO UPDATE"
        " SET keys = ARRAY(SELECT DISTINCT unnest(s.keys || excluded.keys)) RETURNING xmax = 0",
        hash_,
        target.number,
        taken,
        by,
    )
    erased = await _erase(connection, hash_, found, [user_id])
    changed = bool(fresh or erased.contacts or erased.dead_letters)
    if changed:
        await _audit(connection, erased, by)
    return erased, changed


async def delete(connection: "Connection", target: Target, contact: int, by: str) -> Erased | None:
    """Delete one contact, by its own id or that of one merged into it; ``None`` where there is none."""
    found = await _family(connection, target.number, [contact])
    if not found:
        return None
    ownership = await _let_go(connection, target, found, sorted(_carried(target, found)))
    await write_keys(connection, target.number, ownership, exclusive=True)
    erased = await _erase(connection, None, found, [])
    await _audit(connection, erased, by)
    return erased


async def unsuppress(connection: "Connection", number: int, hash_: bytes) -> bool:
    """Let the person's keys be had again, unless another suppression holds them; whoever waited has them now."""
    keys = await connection.fetchval(
        "DELETE FROM suppressions WHERE hash = $1 AND dir = $2 RETURNING keys", hash_, number
    )
    if keys is None:
        return False
    held = await connection.fetch(
        "SELECT DISTINCT k FROM suppressions s, unnest(s.keys) k WHERE s.dir = $1 AND s.keys && $2::bytea[]",
        number,
        keys,
    )
    free = sorted(set(keys) - {row["k"] for row in held})
    ownership, _ = await read_keys(connection, number, free, exclusive=True)
    for key in free:
        ownership.release(SUPPRESSED, key)
    await write_keys(connection, number, ownership, exclusive=True)
    return True


async def _family(connection: "Connection", number: int, contacts: Collection[int]) -> dict[int, Contact]:
    """These contacts, those that took them in, and all that were merged into any of them."""
    rows = await connection.fetch(
        "WITH RECURSIVE up AS (SELECT id, merged_into FROM contacts WHERE id = ANY($1::bigint[]) AND dir = $2"  # noqa: S608
        " UNION SELECT c.id, c.merged_into FROM up JOIN contacts c ON c.id = up.merged_into),"
        " down AS (SELECT id FROM up UNION SELECT c.id FROM down"
        # OFFSET 0 keeps it a look-up for each: a join would walk the whole index.
        " CROSS JOIN LATERAL (SELECT id FROM contacts WHERE merged_into = down.id OFFSET 0) c)"
        f" {SELECT_CONTACTS} WHERE id IN (SELECT id FROM down) ORDER BY id FOR UPDATE",
        sorted(contacts),
        number,
    )
    return {id_: from_row(standard, embedded, why) for id_, *standard, embedded, why in rows}


def _carried(target: Target, contacts: dict[int, Contact]) -> set[bytes]:
    return {key for contact in contacts.values() for key in carried(target.storing, contact)}


async def _let_go(
    connection: "Connection", target: Target, contacts: dict[int, Contact], keys: Sequence[bytes]
) -> Ownership:
    ownership, _ = await read_keys(connection, target.number, keys, exclusive=True)
    for contact in contacts:
        for key in keys:
            ownership.release(contact, key)
    return ownership


async def _erase(
    connection: "Connection", hash_: bytes | None, contacts: dict[int, Contact], ids: Sequence[str]
) -> Erased:
    numbers = sorted(contacts)
    memberships = await _gone(connection, "DELETE FROM list_members WHERE contact = ANY($1::bigint[])", numbers)
    transactions = await _gone(connection, "DELETE FROM transactions WHERE contact = ANY($1::bigint[])", numbers)
    await _gone(connection, "DELETE FROM merges WHERE winner = ANY($1::bigint[]) OR loser = ANY($1)", numbers)
    await _gone(connection, "DELETE FROM idempotency_keys WHERE contact = ANY($1::bigint[])", numbers)
    await _gone(connection, "DELETE FROM contacts WHERE id = ANY($1::bigint[])", numbers)
    letters = await _erase_letters(connection, contacts, ids)
    return Erased(hash_, len(contacts), transactions, letters, memberships)


async def _audit(connection: "Connection", erased: Erased, by: str) -> None:
    await connection.execute(
        "INSERT INTO erasures (by, hash, contacts, transactions, dead_letters, memberships)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        by,
        erased.hash,
        erased.contacts,
        erased.transactions,
        erased.dead_letters,
        erased.memberships,
    )


async def _erase_letters(connection: "Connection", contacts: dict[int, Contact], ids: Sequence[str]) -> int:
    """Empty the dead letters that speak of the person, by any user id or e-mail address that is known."""
    texts = {*ids, *(str(contact.values.get(name) or "") for contact in contacts.values() for name in _TOLD)} - {""}
    return await _gone(
        connection,
        "UPDATE dead_letters SET state = 'erased', reason = 'erased', message_id = '', headers = '[]', key = NULL,"
        " value = NULL, subjects = '{}' WHERE subjects && $1::bytea[]",
        sorted(map(subject, texts)),
    )


async def _gone(connection: "Connection", statement: str, *values: object) -> int:
    return int((await connection.execute(statement, *values)).rsplit(" ", 1)[1])
