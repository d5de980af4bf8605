"""Answers on a terminal: aligned text for people, ``--json`` for programs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import orjson
import typer

from processor.adapters.postgres.reading import PostgresQueries
from processor.cli.context import database, load_settings
from processor.ports.queries import Queries

__all__ = ["Json", "ask", "json_line", "json_text", "printable", "table"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


async def ask(work: Callable[[Queries], Awaitable[None]]) -> None:
    """Run a command that only reads, on the database that the settings or ``run.json`` name."""
    async with database(load_settings(need_postgres=True)) as pool:
        await work(PostgresQueries(pool))


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns two spaces apart, numbers to the right; what would break a line is shown as an escape."""
    texts = [[printable(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *texts, strict=True)]
    right = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(headers))]
    lines = []
    for line in (headers, *texts):
        cells = [
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def json_text(value: Any) -> str:
    """Indented JSON; datetimes are ISO-8601."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()


def json_line(value: Any) -> str:
    """JSON for a cell of a table."""
    return orjson.dumps(value).decode()


def printable(value: object) -> str:
    """The value as text on one line. Control characters of other people's data must not reach the terminal."""
    if value is None:
        return "-"
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
