"""Rows of ``contacts``: locked, read and written in bulk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from processor.domain.directory.command import Command
from processor.domain.directory.row import from_row, to_row
from processor.domain.directory.working import Working

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["SELECT_CONTACTS", "lock_contacts", "named_contacts", "write_contacts"]

_COLUMNS = (
    "ext_ref", "email", "phone", "first_name", "last_name", "language", "unsubscribed", "embedded", "why",
)  # fmt: skip
SELECT_CONTACTS = (
    "SELECT id, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded, why FROM contacts"
)
"""The columns that ``row.from_row`` reads, behind the id."""
_UPDATE = (
    "UPDATE contacts c SET ext_ref = x, email = e, phone = p, first_name = f, last_name = l, language = g,"
    " unsubscribed = u, embedded = m, why = w, modified_at = now() FROM unnest($2::bigint[], $3::text[], $4::text[],"
    " $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[], $10::jsonb[], $11::json[])"
    " AS t (i, x, e, p, f, l, g, u, m, w) WHERE c.id = t.i AND c.dir = $1"
)


async def named_contacts(
    connection: "Connection", number: int, commands: Sequence[Command]
) -> tuple[set[int], dict[int, int]]:
    """The contacts that commands name by id and that are there, and for those merged away who has them now."""
    named = {
        contact
        for command in commands
        for contact in (command.contact, command.unmatched, command.absorbs)
        if contact is not None
    }
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
    rows = {contact: to_row(working.contacts[contact], working.made_by[contact]) for contact in sorted(working.dirty)}
    made = working.made
    new = [
        (contact, number, *standard, embedded, why)
        for contact, (standard, embedded, why) in rows.items()
        if contact in made
    ]
    if new:
        await connection.copy_records_to_table("contacts", records=new, columns=("id", "dir", *_COLUMNS), timeout=30)
    old = [contact for contact in rows if contact not in made]
    if old:
        standard = zip(*(rows[contact][0] for contact in old), strict=True)
        embedded = [rows[contact][1] for contact in old]
        await connection.execute(_UPDATE, number, old, *standard, embedded, [rows[contact][2] for contact in old])
