"""``match_keys`` and ``waiting_keys``: who is found by what, read without a lock and checked when it is written."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from processor.domain.directory.ownership import Ownership
from processor.errors import IsthmusError

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["StaleError", "read_keys", "write_keys"]

_READ = (
    "SELECT key, contact FROM match_keys WHERE dir = $1 AND key = ANY(ARRAY("
    "SELECT substr($2::bytea, 16 * n - 15, 16) FROM generate_series(1, length($2::bytea) / 16) n))"
)
"""Keys come as one text of bytes, 16 each: as an array each of them costs asyncpg ten times as much (0.3 µs)."""
_WAITING = "SELECT key, contact FROM waiting_keys WHERE dir = $1 AND key = ANY($2::bytea[])"
_MOVE = (
    "INSERT INTO match_keys AS m (dir, key, contact, prev)"
    " SELECT $1, substr($2::bytea, 16 * n::int - 15, 16), c, p"
    " FROM unnest($3::text::bigint[], $4::text::bigint[]) WITH ORDINALITY u (c, p, n) ORDER BY n"
    " ON CONFLICT (dir, key) DO UPDATE SET contact = excluded.contact, prev = excluded.prev"
    " WHERE m.contact IS NOT DISTINCT FROM excluded.prev"
)
_WAIT = (
    "INSERT INTO waiting_keys (dir, key, contact) SELECT $1, k, c FROM unnest($2::bytea[], $3::bigint[]) u (k, c)"
    " ORDER BY k, c ON CONFLICT DO NOTHING"
)
_UNWAIT = (
    "DELETE FROM waiting_keys w USING unnest($2::bytea[], $3::bigint[]) u (k, c)"
    " WHERE w.dir = $1 AND w.key = u.k AND w.contact = u.c"
)


class StaleError(IsthmusError):
    """Somebody else wrote a contact or a key between our reading and our writing: roll back and do it again."""

    code = "stale"


async def read_keys(
    connection: "Connection", number: int, keys: Sequence[bytes], *, exclusive: bool
) -> tuple[Ownership, set[int]]:
    """The owners of these keys, and the contacts that wait for them, which are known under the exclusive lock only."""
    read: dict[bytes, int | None] = dict.fromkeys(keys)
    read.update(map(tuple, await connection.fetch(_READ, number, b"".join(keys))))
    waiting: dict[bytes, list[int]] = defaultdict(list)
    if exclusive:
        for row in await connection.fetch(_WAITING, number, keys):
            waiting[row["key"]].append(row["contact"])
    return Ownership(read, waiting), {contact for contacts in waiting.values() for contact in contacts}


async def write_keys(connection: "Connection", number: int, keys: Ownership, *, exclusive: bool) -> None:
    """Bring the tables to what the ownership says. Raises ``StaleError`` where they are not as they were read, and
    where a key that was let go is waited for: its heir has to be known before anybody looks by it."""
    unread = keys.unread()
    if unread:  # keys of a contact's combined values, by which nobody looked
        read: dict[bytes, int | None] = dict.fromkeys(unread)
        read.update(map(tuple, await connection.fetch(_READ, number, b"".join(unread))))
        keys.settle(read)
    if exclusive and keys.let_go:
        found = await connection.fetch(_WAITING, number, sorted(keys.let_go))
        keys.hand_over([(row["key"], row["contact"]) for row in found])
    # Who lets go of a key moves its row: a row that somebody begins to wait for is touched in the same order, so that
    # either they see us waiting or we see them gone.
    moved = sorted({*keys.moved(), *(key for key, _ in keys.waits)})
    if moved:
        now, then = ([numbers[key] for key in moved] for numbers in (keys.owners, keys.before))
        done = await connection.execute(_MOVE, number, b"".join(moved), _array(now), _array(then))
        if int(done.rsplit(" ", 1)[1]) != len(moved):
            raise StaleError("a key was taken by somebody else meanwhile")
    if keys.waits:
        await connection.execute(_WAIT, number, *_columns(keys.waits))
    if keys.let_go and not exclusive:
        found = await connection.fetch(_WAITING, number, sorted(keys.let_go))
        if any((row["key"], row["contact"]) not in keys.unwaits for row in found):
            raise StaleError("a key that was let go is waited for")
    if keys.unwaits:
        await connection.execute(_UNWAIT, number, *_columns(keys.unwaits))


def _array(numbers: Sequence[int | None]) -> str:
    """An array as PostgreSQL writes it: half the price of the same as an array of asyncpg's."""
    return "{" + str(numbers)[1:-1].replace("None", "NULL") + "}"


def _columns(pairs: set[tuple[bytes, int]]) -> tuple[list[bytes], list[int]]:
    in_order = sorted(pairs)
    return [key for key, _ in in_order], [contact for _, contact in in_order]
