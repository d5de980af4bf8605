"""``isthmus config import-segment``: a destination of Segment's as a connection of the document."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from processor.cli.tables import json_text, printable
from processor.config.importing import Export, Imported, Note, import_segment, join_exports, read_export
from processor.errors import DocumentError, Fault

__all__ = ["add"]

_HELP = "Answers of Segment's Public API, JSON: of one destination, of its subscriptions, or both; `-`: standard input."


def add(app: typer.Typer) -> None:
    """Add the command to those of ``config``."""
    app.command("import-segment")(import_files)


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help=_HELP)],
    json: Annotated[bool, typer.Option("--json", help="Print JSON: connection, warnings, not_carried.")] = False,
) -> None:
    """Print a destination of Segment's as the section `connections` of a document.

    What reads otherwise now, and what could not be carried over, is said on standard error.
    Exits with 1 when a file is no such answer, and when none of its subscriptions could be carried over.
    """
    export = join_exports([_read(file) for file in files])
    try:
        imported = import_segment(export)
    except DocumentError as error:
        _refuse(", ".join(files), error)
    if json:
        warnings, left = ([_plain(note) for note in notes] for notes in (imported.warnings, imported.not_carried))
        print(json_text({"connection": imported.connection, "warnings": warnings, "not_carried": left}))
    else:
        _print(imported, len(export.subscriptions or ()))
    if export.subscriptions and not imported.connection["mappings"]:
        raise typer.Exit(1)


def _read(file: str) -> Export:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    try:
        return read_export(raw)
    except DocumentError as error:
        _refuse(file, error)


def _refuse(file: str, error: DocumentError) -> NoReturn:
    for fault in error.faults:
        typer.echo(printable(_line(file, fault)), err=True)
    raise typer.Exit(1)


def _line(file: str, fault: Fault) -> str:
    place = file if fault.line is None else f"{file}:{fault.line}"
    return ": ".join(part for part in (place, fault.path, fault.message) if part)


def _print(imported: Imported, count: int) -> None:
    print(imported.text, end="")
    for kind, notes in (("warning", imported.warnings), ("not carried over", imported.not_carried)):
        for note in notes:
            place = [f"`{note.mapping}`"] if note.mapping else []
            typer.echo(printable(": ".join([kind, *place, *filter(None, (note.path, note.message))])), err=True)
    carried = len(imported.connection["mappings"])
    typer.echo(
        f"{carried} of {count} subscriptions carried over; next: `isthmus config check` on the document.", err=True
    )


def _plain(note: Note) -> dict[str, str]:
    return {"mapping": note.mapping, "path": note.path, "message": note.message}
