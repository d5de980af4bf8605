"""What commands that write to the directory share: the writer, who asks, and whether a person means it."""

import getpass
import platform
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.cli.context import database, load_settings
from processor.domain.directory.ids import contact_id
from processor.errors import RejectedError
from processor.ports.directory import DirectoryWriter

__all__ = ["Yes", "confirm", "named_contact", "who", "write"]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can answer.")]


async def write(work: Callable[[DirectoryWriter], Awaitable[None]]) -> None:
    """Run a command that writes, on the database that the settings or ``run.json`` name."""
    async with database(load_settings(need_postgres=True)) as pool:
        await work(PostgresDirectoryWriter(pool))


def who() -> str:
    """Who asks, as revisions, merges and the audit of deletions keep it: user@machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return f"{user}@{platform.node()}"


def named_contact(cid: str) -> int:
    """The number behind a public id. Raises ``RejectedError`` (``unknown_contact``) for what is no id at all."""
    number = contact_id(cid)
    if number is None:
        raise RejectedError("unknown_contact", f"no contact has the id {cid!r}; `isthmus contacts find` shows ids")
    return number


def confirm(question: str, *, yes: bool) -> None:
    """Ask, before something is deleted; ends the command with 1 on a no, and with 2 where nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        typer.echo("Nobody can be asked here; with --yes it is done without asking.", err=True)
        raise typer.Exit(2)
    if not typer.confirm(question, err=True):  # the answer proper, which may be JSON, has stdout to itself
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(1)
