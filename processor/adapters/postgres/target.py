"""A directory as one transaction writes it, and the lock that the transaction holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.domain.rules import Directory

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["Target", "lock"]

_LOCK = 0x1571  # the first key of the advisory locks of directories; the second is the directory's row


@dataclass(frozen=True, slots=True)
class Target:
    """A directory as one transaction writes it. ``number``: its row; ``storing``: the rules whose keys are stored;
    ``exclusive``: whether the lock that the caller holds keeps every other writer out."""

    number: int
    directory: Directory
    storing: tuple[tuple[str, ...], ...]
    revision: int
    exclusive: bool


async def lock(
    connection: "Connection", directories: Mapping[int, Directory], revision: int, *, exclusive: bool
) -> dict[str, Target]:
    """Take the advisory locks of these directories (by row), in the order of their numbers, and learn which keys
    they store."""
    function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
    in_order = sorted(directories)
    for number in in_order:
        await connection.execute(f"SELECT {function}($1, $2)", _LOCK, number)
    # After the locks and apart from them: a statement sees what was committed before it began.
    found = await connection.fetch(
        "SELECT dir, key_rules || building AS rules FROM directories WHERE dir = ANY($1::int[])", in_order
    )
    targets = {}
    for row in found:
        directory = directories[row["dir"]]
        storing = tuple(dict.fromkeys((*directory.merge_rules, *map(tuple, row["rules"]))))
        targets[directory.id] = Target(row["dir"], directory, storing, revision, exclusive)
    return targets
