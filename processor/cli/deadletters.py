"""``isthmus deadletters``: what was refused, why, and the bytes as they came."""

import base64
from typing import Annotated, Any

import typer

from processor.cli import run
from processor.cli.tables import Json, ask, json_line, json_text, table
from processor.ports.queries import DeadLetterRow, DeadLetterSummary, Queries

__all__ = ["app", "dead_letter_text", "list_dead_letters", "show_dead_letter"]

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    mapping: Annotated[str, typer.Option(help="Only those of this mapping.")] = "",
    code: Annotated[str, typer.Option(help="Only those with this error code.")] = "",
    source: Annotated[str, typer.Option(help="Only those of this source.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List dead letters, the newest first."""
    run(ask(lambda queries: list_dead_letters(queries, mapping, code, source, limit, json=json)))


@app.command()
def show(
    id_: Annotated[int, typer.Argument(metavar="ID", help="Number of the dead letter.")],
    json: Json = False,
) -> None:
    """Show one dead letter with its bytes; they may hold personal data."""
    run(ask(lambda queries: show_dead_letter(queries, id_, json=json)))


async def list_dead_letters(queries: Queries, mapping: str, code: str, source: str, limit: int, *, json: bool) -> None:
    """Print dead letters; an empty text filters nothing."""
    rows = await queries.dead_letters(mapping or None, code or None, source or None, limit)
    if json:
        print(json_text([_summary(row) for row in rows]))
        return
    if not rows:
        filtered = mapping or code or source
        print("No dead letter matches." if filtered else "There are no dead letters.")
        return
    cells = [
        (r.id, f"{r.received:%Y-%m-%d %H:%M:%S}", r.service, r.source, r.mapping or "-", r.code, r.message, r.reason)
        for r in rows
    ]
    print(table(("id", "received", "service", "source", "mapping", "code", "message", "reason"), cells))
    if len(rows) == limit:
        print(f"These are the newest {limit} at most; --limit shows more.")


async def show_dead_letter(queries: Queries, id_: int, *, json: bool) -> None:
    """Print one dead letter; exits with 1 when there is none."""
    row = await queries.dead_letter(id_) if 0 < id_ < 1 << 63 else None
    if row is None:
        print("null" if json else f"No dead letter has the number {id_}.")
        raise typer.Exit(1)
    if json:
        raw = {"headers": row.headers, "key": _raw(row.key), "value": _raw(row.value)}
        print(json_text({**_summary(row.summary), **raw}))
    else:
        print(dead_letter_text(row))


def dead_letter_text(row: DeadLetterRow) -> str:
    """Fields line by line, then the value as it came."""
    fields = [*_summary(row.summary).items(), ("headers", json_line(row.headers))]
    for name, value in (("key", _raw(row.key)), ("value", _raw(row.value))):
        if value is None:
            fields.append((name, None))
        else:
            ((form, text),) = value.items()
            fields.append((name if form == "text" else f"{name} (base64)", text))
    return table(("field", "value"), fields)


def _summary(row: DeadLetterSummary) -> dict[str, Any]:
    return {
        "id": row.id,
        "received": row.received,
        "state": row.state,
        "service": row.service,
        "topic": row.topic,
        "partition": row.partition,
        "offset": row.offset,
        "source": row.source,
        "mapping": row.mapping,
        "code": row.code,
        "reason": row.reason,
        "message": row.message,
        "revision": row.revision,
    }


def _raw(value: bytes | None) -> dict[str, str] | None:
    """``{"text": …}`` when the bytes are UTF-8, else ``{"base64": …}``."""
    if value is None:
        return None
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
