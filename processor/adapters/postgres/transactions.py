"""Transactions of contacts: each effect key once, and a repeat changes nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from processor.adapters.postgres.target import Target
from processor.domain.directory.command import Command

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["insert_transactions"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def insert_transactions(
    connection: "Connection",
    target: Target,
    commands: Sequence[Command],
    contacts: Sequence[int | None],
    winner: Callable[[int], int],
) -> set[int]:
    """Insert the transactions of commands whose contact is known; returns the positions of those that are new.

    The key is remembered in ``effect_keys``, which outlives the history. ``winner``: who a contact is, after the
    merges of this transaction.
    """
    wanted: dict[bytes, int] = {}
    for position, (command, contact) in enumerate(zip(commands, contacts, strict=True)):
        if command.transaction is not None and contact is not None:
            wanted.setdefault(command.transaction.key, position)
    if not wanted:
        return set()
    rows = await connection.fetch(
        "INSERT INTO effect_keys (key) SELECT k FROM unnest($1::bytea[]) k ORDER BY k ON CONFLICT DO NOTHING"
        " RETURNING key",
        list(wanted),
    )
    added = sorted(wanted[row["key"]] for row in rows)
    if added:
        new = [
            (command, item, contact)
            for command, item, contact in ((commands[p], commands[p].transaction, contacts[p]) for p in added)
            if item is not None and contact is not None
        ]
        await connection.execute(
            "INSERT INTO transactions (key, dir, contact, recorded_for, date, data, mailing_list, source, mapping,"
            " message_id, revision) SELECT k, $1, c, nullif(r, c), d, j, l, s, m, i, $2 FROM unnest($3::bytea[],"
            " $4::bigint[], $5::bigint[], $6::timestamptz[], $7::jsonb[], $8::text[], $9::text[], $10::text[],"
            " $11::text[]) t (k, c, r, d, j, l, s, m, i) ORDER BY k",
            target.number,
            target.revision,
            [item.key for _, item, _ in new],
            [winner(contact) for _, _, contact in new],
            [contact for _, _, contact in new],
            [_EPOCH + timedelta(milliseconds=item.date_ms) for _, item, _ in new],
            [item.data for _, item, _ in new],
            [item.mailing_list for _, item, _ in new],
            [command.source for command, _, _ in new],
            [command.mapping for command, _, _ in new],
            [command.message_id for command, _, _ in new],
        )
    return set(added)
