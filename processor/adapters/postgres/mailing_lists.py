"""Mailing lists that were made by the API; those of the document are written with it and changed only there."""

import secrets
import string
from typing import TYPE_CHECKING

from processor.errors import RejectedError

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection

__all__ = ["create", "delete", "leave", "rename"]

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 15
"""Characters of an id that we make. Source: configuration.md rule 5."""


async def create(connection: "Connection", directory: str, name: str) -> str:
    """The new list's id."""
    id_ = "CG_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    done = await connection.execute(
        "INSERT INTO mailing_lists (dir, id, name, of_document)"
        " SELECT dir, $2, $3, false FROM directories WHERE id = $1",
        directory,
        id_,
        name,
    )
    if done == "INSERT 0 0":
        raise RejectedError("unknown_directory", "no directory has that id")
    return id_


async def rename(connection: "Connection", directory: str, list_: str, name: str) -> bool:
    number = await connection.fetchval("SELECT dir FROM directories WHERE id = $1", directory)
    if not await _is_ours(connection, number, list_):
        return False
    await connection.execute("UPDATE mailing_lists SET name = $3 WHERE dir = $1 AND id = $2", number, list_, name)
    return True


async def delete(connection: "Connection", number: int, list_: str) -> bool:
    """The list and its memberships. The caller holds the exclusive lock, so that nobody joins meanwhile."""
    if not await _is_ours(connection, number, list_):
        return False
    await connection.execute("DELETE FROM list_members WHERE dir = $1 AND list = $2", number, list_)
    await connection.execute("DELETE FROM mailing_lists WHERE dir = $1 AND id = $2", number, list_)
    return True


async def leave(connection: "Connection", directory: str, list_: str, contact: int) -> bool:
    """By the contact's own number, or that of one merged into it."""
    done = await connection.execute(
        "WITH RECURSIVE chain AS (SELECT id, merged_into FROM contacts WHERE id = $3 UNION ALL"
        " SELECT c.id, c.merged_into FROM chain JOIN contacts c ON c.id = chain.merged_into)"
        " DELETE FROM list_members WHERE dir = (SELECT dir FROM directories WHERE id = $1) AND list = $2"
        " AND contact = (SELECT id FROM chain WHERE merged_into IS NULL)",
        directory,
        list_,
        contact,
    )
    return done != "DELETE 0"


async def _is_ours(connection: "Connection", number: int | None, list_: str) -> bool:
    of_document = await connection.fetchval(
        "SELECT of_document FROM mailing_lists WHERE dir = $1 AND id = $2 FOR UPDATE", number, list_
    )
    if of_document:
        raise RejectedError("list_of_document", "this list is of the configuration document: change it there")
    return of_document is not None
