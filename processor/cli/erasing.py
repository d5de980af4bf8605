"""``isthmus contacts delete``, ``suppress`` and ``unsuppress``: people who leave, and who must not come back."""

from typing import Annotated

import typer

from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.cli import run
from processor.cli.context import database, load_settings
from processor.cli.tables import Json, json_text
from processor.cli.writing import Yes, confirm, named_contact, who, write
from processor.domain.directory.ids import contact_cid
from processor.errors import RejectedError
from processor.ports.directory import DirectoryWriter, Erased
from processor.ports.queries import Queries

__all__ = ["add", "delete_contact", "suppress_person", "unsuppress_person"]

_User = Annotated[str, typer.Argument(metavar="USERID", help="The userId, as Segment sends it.")]


def add(app: typer.Typer) -> None:
    """Add these commands to ``isthmus contacts``."""
    app.command("delete")(delete)
    app.command("suppress")(suppress)
    app.command("unsuppress")(unsuppress)


def delete(
    cid: Annotated[str, typer.Argument(metavar="CID", help="Public id of the contact.")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete a contact with its transactions, memberships and dead letters. A later event may bring it back."""
    run(_delete(cid, yes=yes, json=json))


def suppress(user_id: _User, yes: Yes = False, json: Json = False) -> None:
    """Delete a person from every directory and keep later events from bringing them back."""
    confirm("Delete this person from every directory, for good?", yes=yes)
    run(write(lambda writer: suppress_person(writer, user_id, json=json)))


def unsuppress(user_id: _User, json: Json = False) -> None:
    """Let a person who was suppressed come back with their next event; what was deleted stays deleted."""
    run(write(lambda writer: unsuppress_person(writer, user_id, json=json)))


async def delete_contact(queries: Queries, writer: DirectoryWriter, cid: str, *, yes: bool, json: bool) -> None:
    """Ask, delete and say what went. Raises ``RejectedError`` (``unknown_contact``)."""
    row = await queries.contact(named_contact(cid))
    if row is None:
        raise RejectedError("unknown_contact", f"no contact has the id {cid!r}")
    found = contact_cid(row.id)
    merged = f" ({cid} was merged into it)" if found != cid else ""
    confirm(f"Delete {found} of {row.directory}{merged} and all its transactions, for good?", yes=yes)
    erased = await writer.delete_contact(row.directory, row.id, who())
    if erased is None:
        raise RejectedError("unknown_contact", f"{found} was deleted meanwhile")
    print(json_text(erased.shown()) if json else f"Deleted: {_counted(erased)}.")


async def suppress_person(writer: DirectoryWriter, user_id: str, *, json: bool) -> None:
    """Suppress and say what went."""
    erased = await writer.suppress(user_id, who())
    if json:
        print(json_text(erased.shown()))
        return
    print(f"Deleted: {_counted(erased)}. Later events of this person change nothing.")
    print("Kafka keeps the events of before until its retention ends.")


async def unsuppress_person(writer: DirectoryWriter, user_id: str, *, json: bool) -> None:
    """Lift a suppression; exits with 1 when there is none."""
    lifted = await writer.unsuppress(user_id)
    if json:
        print(json_text({"lifted": lifted}))
    else:
        print("Lifted; the next event may bring this person back." if lifted else "This person is not suppressed.")
    if not lifted:
        raise typer.Exit(1)


async def _delete(cid: str, *, yes: bool, json: bool) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        await delete_contact(PostgresQueries(pool), PostgresDirectoryWriter(pool), cid, yes=yes, json=json)


def _counted(erased: Erased) -> str:
    counts = {
        "contact": erased.contacts,
        "transaction": erased.transactions,
        "dead letter": erased.dead_letters,
        "membership": erased.memberships,
    }
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
