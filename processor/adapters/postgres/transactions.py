"""Transactions of contacts: each effect key once, and a repeat changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from processor.domain.directory.command import Command

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["insert_transactions"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def insert_transactions(
    connection: "Connection", number: int, commands: Sequence[Command], contacts: Sequence[int | None], revision: int
) -> set[int]:
    """Insert the transactions of commands whose contact is known; returns the positions of those that are new.

    The key is remembered in ``effect_keys``, which outlives the history.
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
        new = [(commands[position], contacts[position], commands[position].transaction) for position in added]
        await connection.execute(
            "INSERT INTO transactions (key, dir, contact, date, data, mailing_list, source, mapping, message_id,"
            " revision) SELECT k, $1, c, d, j, l, s, m, i, $2 FROM unnest($3::bytea[], $4::bigint[],"
            " $5::timestamptz[], $6::jsonb[], $7::text[], $8::text[], $9::text[], $10::text[])"
            " t (k, c, d, j, l, s, m, i) ORDER BY k",
            number,
            revision,
            [item.key for _, _, item in new if item],
            [contact for _, contact, _ in new],
            [_EPOCH + timedelta(milliseconds=item.date_ms) for _, _, item in new if item],
            [item.data for _, _, item in new if item],
            [item.mailing_list for _, _, item in new if item],
            [command.source for command, _, _ in new],
            [command.mapping for command, _, _ in new],
            [command.message_id for command, _, _ in new],
        )
    return set(added)
