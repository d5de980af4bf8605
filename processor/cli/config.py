"""``isthmus config``: check, apply, compare, export and roll back the configuration document."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from processor.adapters.postgres.revisions import PostgresRevisions, Report
from processor.cli import run
from processor.cli.context import database, load_settings
from processor.cli.documents import checked_document, print_faults, print_warnings, read_document
from processor.cli.filling import Filling
from processor.cli.tables import json_text, table
from processor.cli.writing import who
from processor.config import Checked, Secrets, check, compile_document, diff, mask
from processor.errors import DocumentError, Fault
from processor.ports.revisions import Revision

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

_WAIT_S = 5.0
"""Seconds that ``apply`` waits for the running processes, which look every second and report every two."""
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The document, YAML.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Note = Annotated[str, typer.Option(help="Kept with the revision, for whoever reads the history.")]
_Drop = Annotated[bool, typer.Option("--drop", help="Delete the contacts of directories that the document leaves out.")]


@app.command("check")
def check_file(file: _File, json: _Json = False) -> None:
    """Check a document without applying it; exits with 1 when it has faults."""
    try:
        checked = check(read_document(file))
    except DocumentError as error:
        if json:
            print(json_text({"ok": False, "faults": [_plain(fault) for fault in error.faults], "warnings": []}))
        else:
            print_faults(file, error)
        raise typer.Exit(1) from None
    missing = _unresolved(checked)
    if json:
        warnings = [_plain(warning) for warning in checked.warnings]
        print(json_text({"ok": True, "faults": [], "warnings": warnings + [_plain(Fault("", w)) for w in missing]}))
        return
    _print_warnings(file, checked.warnings, missing)
    count = f"{len(checked.sources)} sources, {len(checked.directories)} directories, {len(checked.rules)} mappings"
    print(f"{file} holds: {count}.")


@app.command("apply")
def apply_file(file: _File, note: _Note = "", drop: _Drop = False) -> None:
    """Store a document as the newest revision and wait for the running services to take it."""
    text = read_document(file)
    checked = checked_document(file, text)
    _print_warnings(file, checked.warnings, _unresolved(checked))
    run(_apply(text, note, drop=drop))


@app.command("rollback")
def rollback(number: Annotated[int, typer.Argument(metavar="N")], drop: _Drop = False) -> None:
    """Apply revision N again, as a new revision."""
    run(_rollback(number, drop=drop))


@app.command("diff")
def show_difference(
    before: Annotated[str, typer.Argument(metavar="FILE|N", help="A file, or the number of a revision.")],
    after: Annotated[int | None, typer.Argument(metavar="M", help="The number of another revision.")] = None,
) -> None:
    """What applying FILE would change; or what changed from revision N to M, or to the newest."""
    run(_diff(before, after))


@app.command("export")
def export(number: Annotated[int | None, typer.Argument(metavar="N", help="The newest if left out.")] = None) -> None:
    """Print a revision's document, plain secrets masked."""
    run(_export(number))


@app.command("history")
def history(json: _Json = False, limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50) -> None:
    """List the revisions, newest first."""
    run(_history(limit, json=json))


async def _apply(text: str, note: str, *, drop: bool) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        filling = Filling()
        revisions = PostgresRevisions(pool, filling)
        before = await revisions.newest()
        revision = await revisions.add(text, who(), note, drop=drop)
        filling.end()
        if revision.number <= before:
            print(f"This is revision {revision.number} already; nothing changed.")
            return
        print(f"Applied as revision {revision.number}.")
        refused = await _wait(revisions, revision.number)
    if refused:
        raise typer.Exit(1)


async def _wait(revisions: PostgresRevisions, number: int) -> bool:
    """Wait for the running processes, print who took the revision and who did not; whether one refused it."""
    deadline = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        reports = await revisions.reports()
        late = [report for report in reports if not _took(report, number) and not _refused(report, number)]
        if not late or asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.2)
    for report in reports:
        who = f"{report.service} ({report.instance})"
        if _refused(report, number):
            reason = report.refused[1] if report.refused else ""
            print(f"  {who} refused it and stays with revision {report.revision}: {reason}")
        elif _took(report, number):
            print(f"  {who} took it.")
        else:
            print(f"  {who} has not taken it within {_WAIT_S:.0f} s; it is at revision {report.revision}.")
    if not reports:
        print("  No service is running; each takes it when it starts.")
    return any(_refused(report, number) for report in reports)


def _took(report: Report, number: int) -> bool:
    return report.revision >= number


def _refused(report: Report, number: int) -> bool:
    return not _took(report, number) and report.refused is not None and report.refused[0] >= number


async def _rollback(number: int, *, drop: bool) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        revision = await _revision(PostgresRevisions(pool), number)
    text = revision.document
    checked_document(Path(f"revision {number}"), text)
    await _apply(text, f"rollback to revision {number}", drop=drop)


async def _diff(before: str, after: int | None) -> None:
    by_number = before.isascii() and before.isdecimal()
    async with database(load_settings(need_postgres=True)) as pool:
        revisions = PostgresRevisions(pool)
        if by_number:
            old = await _revision(revisions, int(before))
            new = await _revision(revisions, after)
            found = diff(old.document, new.document, f"revision {old.number}", f"revision {new.number}")
        else:
            text = read_document(Path(before))
            checked_document(Path(before), text)
            base = await revisions.latest() if after is None else await _revision(revisions, after)
            name = f"revision {base.number}" if base else "nothing"
            found = diff(base.document if base else "", text, name, before)
    print(found.text or "No difference.", end="" if found.text else "\n")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)


async def _export(number: int | None) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        revision = await _revision(PostgresRevisions(pool), number)
    text = mask(revision.document)
    print(text, end="" if text.endswith("\n") else "\n")


async def _history(limit: int, *, json: bool) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        found = await PostgresRevisions(pool).history(limit)
    if json:
        print(
            json_text(
                [{name: getattr(r, name) for name in ("number", "applied_at", "applied_by", "note")} for r in found]
            )
        )
        return
    rows = [(r.number, f"{r.applied_at:%Y-%m-%d %H:%M:%S}Z", r.applied_by, r.note) for r in found]
    print(table(("revision", "applied", "by", "note"), rows) if rows else "Nothing has been applied yet.")


async def _revision(revisions: PostgresRevisions, number: int | None) -> Revision:
    found = await revisions.latest() if number is None else await revisions.get(number)
    if found is None:
        what = "nothing has been applied yet" if number is None else f"there is no revision {number}"
        typer.echo(f"isthmus: {what}; `isthmus config history` lists what there is", err=True)
        raise typer.Exit(1)
    return found


def _unresolved(checked: Checked) -> Sequence[str]:
    """Warnings about secrets as this terminal sees them: a service's environment may hold more."""
    secrets = Secrets(os.environ, load_settings().data_dir)
    return compile_document(checked, 0, secrets=secrets).warnings[len(checked.warnings) :]


def _print_warnings(file: Path, warnings: Sequence[Fault], unresolved: Sequence[str]) -> None:
    print_warnings(file, warnings)
    for text in unresolved:
        typer.echo(f"{file}: warning: {text}", err=True)


def _plain(fault: Fault) -> dict[str, object]:
    return {"path": fault.path, "line": fault.line, "message": fault.message}
