"""Rows of ``contacts``: locked, read and written in bulk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from processor.domain.directory.command import Command
from processor.domain.directory.row import from_row
from processor.domain.directory.working import Working

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["SELECT_CONTACTS", "lock_contacts", "named_contacts", "write_contacts"]

_COLUMNS = (
    "ext_ref", "email", "phone", "first_name", "last_name", "language", "unsubscribed", "embedded", "why",
)  # fmt: skip
_IDENTIFIED = ("id", *_COLUMNS)
SELECT_CONTACTS = (
    "SELECT id, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded, why FROM contacts"
)
"""The columns that ``row.from_row`` reads, behind the id."""
_UPDATE = (
    "UPDATE contacts c SET ext_ref = t.ext_ref, email = t.email, phone = t.phone, first_name = t.first_name,"
    " last_name = t.last_name, language = t.language, unsubscribed = t.unsubscribed, embedded = t.embedded,"
    " why = t.why, modified_at = now() FROM json_to_recordset($2::json) AS t (id bigint, ext_ref text, email text,"
    " phone text, first_name text, last_name text, language text, unsubscribed bool, embedded jsonb, why json)"
    " WHERE c.id = t.id AND c.dir = $1"
)
"""One JSON text for all rows: as ten arrays they cost asyncpg five times as much, 3.0 µs a row instead of 0.6."""


async def named_contacts(
    connection: "Connection", number: int, commands: Sequence[Command]
) -> tuple[set[int], dict[int, int]]:
    """The contacts that commands name by id and that are there, and for those merged away who has them now."""
    named = {command.contact for command in commands if command.contact is not None}
    named.update(command.unmatched for command in commands if command.unmatched is not None)
    named.update(command.absorbs for command in commands if command.absorbs is not None)
    if not named:
        return set(), {}
    found = await connection.fetch(
        "WITH RECURSIVE chain AS ("
        " SELECT id AS named, id, merged_into FROM contacts WHERE id = ANY($1::bigint[]) AND dir = $2"
        " UNION ALL SELECT chain.named, c.id, c.merged_into FROM chain JOIN contacts c ON c.id = chain.merged_into"
        ") SELECT named, id FROM chain WHERE merged_into IS NULL",
        sorted(named),
        number,
    )
    return {row["id"] for row in found}, {row["named"]: row["id"] for row in found if row["named"] != row["id"]}


async def lock_contacts(connection: "Connection", number: int, wanted: Sequence[int], working: Working) -> None:
    """Lock the rows in the order of their ids, and put them into ``working``; those merged away are left out."""
    rows = await connection.fetch(
        f"{SELECT_CONTACTS} WHERE id = ANY($1::bigint[]) AND dir = $2 AND merged_into IS NULL ORDER BY id FOR UPDATE",
        wanted,
        number,
    )
    contacts, made_by = working.contacts, working.made_by
    for row in rows:
        contact, *standard, embedded, why = row
        contacts[contact] = from_row(standard, embedded, why)
        made_by[contact] = why["by"]


async def write_contacts(connection: "Connection", number: int, working: Working) -> None:
    """New contacts by COPY, which is a fifth faster than an insert; the others by one update.

    A process that freezes within COPY is ended by the others' heartbeat (docs/decisions.md, 20), by no time-out.
    """
    new, old = [], []
    for contact in sorted(working.dirty):
        standard, embedded, why = working.row(contact)
        if contact in working.made:
            new.append((contact, number, *standard, embedded, why))
        else:
            old.append(dict(zip(_IDENTIFIED, (contact, *standard, embedded, why), strict=True)))
    if new:
        await connection.copy_records_to_table("contacts", records=new, columns=("id", "dir", *_COLUMNS), timeout=30)
    if old:
        await connection.execute(_UPDATE, number, old)
