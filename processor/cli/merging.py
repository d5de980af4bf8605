"""``isthmus contacts merge``, ``unmerge`` and ``duplicates``: contacts that are one person."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from processor.adapters.postgres.duplicates import PostgresMerges
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.cli import run
from processor.cli.context import database, load_settings
from processor.cli.documents import checked_document
from processor.cli.tables import Json, json_text, table
from processor.cli.writing import named_contact, who, write
from processor.domain.directory.ids import contact_cid
from processor.domain.rules import Directory
from processor.errors import ConfigError, RejectedError
from processor.ports.directory import DirectoryWriter, Merged
from processor.ports.merges import DuplicatePair, MergeQueries

__all__ = ["add", "merge_contacts", "print_duplicates", "unmerge_contact"]


def add(app: typer.Typer) -> None:
    """Add these commands to ``isthmus contacts``."""
    app.command("merge")(merge)
    app.command("unmerge")(unmerge)
    app.command("duplicates")(duplicates)


def merge(
    winner: Annotated[str, typer.Argument(metavar="CID", help="The contact that stays.")],
    loser: Annotated[str, typer.Argument(metavar="CID", help="The one that becomes part of it.")],
    json: Json = False,
) -> None:
    """Make one contact of two: per field the later value, and all transactions. `unmerge` takes it back."""
    run(write(lambda writer: merge_contacts(writer, winner, loser, json=json)))


def unmerge(
    loser: Annotated[str, typer.Argument(metavar="CID", help="The contact that was merged away.")],
    json: Json = False,
) -> None:
    """Make a contact its own again; what was written since the merge stays with the other one."""
    run(write(lambda writer: unmerge_contact(writer, loser, json=json)))


def duplicates(
    directory: Annotated[str, typer.Option(help="Id of one directory; all of them if left out.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many pairs.")] = 1_000,
    json: Json = False,
) -> None:
    """List pairs of contacts that the merge rules in force would have made one."""
    run(_duplicates(directory, limit, json=json))


async def merge_contacts(writer: DirectoryWriter, winner: str, loser: str, *, json: bool) -> None:
    """Merge and say so. Raises ``RejectedError`` as ``DirectoryWriter.merge`` does."""
    merged = await writer.merge(named_contact(winner), named_contact(loser), who())
    if json:
        print(json_text(_merged_json(merged)))
        return
    cid = contact_cid(merged.loser)
    print(f"{cid} is part of {contact_cid(merged.winner)} now; {_transactions(merged)} changed hands.")
    print(f"`isthmus contacts unmerge {cid}` takes it back.")


async def unmerge_contact(writer: DirectoryWriter, loser: str, *, json: bool) -> None:
    """Take a merge back and say so. Raises ``RejectedError`` as ``DirectoryWriter.unmerge`` does."""
    merged = await writer.unmerge(named_contact(loser), who())
    if json:
        print(json_text(_merged_json(merged)))
        return
    winner = contact_cid(merged.winner)
    print(f"{contact_cid(merged.loser)} and {winner} are two again; {_transactions(merged)} changed hands.")


async def print_duplicates(merges: MergeQueries, directories: Sequence[Directory], limit: int, *, json: bool) -> None:
    """Print the pairs with the rule that takes them for one person, the older contact first."""
    pairs = await merges.duplicates(directories, limit + 1)
    shown = pairs[:limit]
    if json:
        print(json_text([_pair_json(pair) for pair in shown]))
        return
    if not shown:
        print("No two contacts are one by the merge rules in force.")
        return
    cells = [(p.directory, " + ".join(p.rule), contact_cid(p.older), contact_cid(p.younger)) for p in shown]
    print(table(("directory", "rule", "older", "younger"), cells))
    if len(pairs) > limit:
        print(f"These are the first {limit}; --limit shows more.")
    print("`isthmus contacts merge OLDER YOUNGER` makes two one.")


async def _duplicates(directory: str, limit: int, *, json: bool) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        revision = await PostgresRevisions(pool).latest()
        if revision is None:
            raise ConfigError("no configuration is in force; run `isthmus config apply FILE`")
        checked = checked_document(Path(f"revision {revision.number}"), revision.document)
        chosen = [each for each in checked.directories if directory in ("", each.id)]
        if directory and not chosen:
            known = ", ".join(each.id for each in checked.directories)
            raise RejectedError("unknown_directory", f"no directory {directory} in the document; there are {known}")
        await print_duplicates(PostgresMerges(pool), chosen, limit, json=json)


def _transactions(merged: Merged) -> str:
    return f"{merged.transactions} transaction{'' if merged.transactions == 1 else 's'}"


def _merged_json(merged: Merged) -> dict[str, Any]:
    return {
        "winner": contact_cid(merged.winner),
        "loser": contact_cid(merged.loser),
        "transactions": merged.transactions,
    }


def _pair_json(pair: DuplicatePair) -> dict[str, Any]:
    return {
        "directory": pair.directory,
        "rule": list(pair.rule),
        "older": contact_cid(pair.older),
        "younger": contact_cid(pair.younger),
    }
