"""``isthmus ledger``: every record once per service, and whether that adds up."""

from typing import Annotated, Literal

import typer

from processor.cli import run
from processor.cli.tables import ask, json_text, table
from processor.domain.outcome import FILTERED_REASONS
from processor.ports.queries import Ledger, Queries

__all__ = ["add", "ledger_json", "ledger_text", "print_ledger"]


def add(app: typer.Typer) -> None:
    """Add the command ``ledger``."""

    @app.command()
    def ledger(
        by: Annotated[Literal["mapping"] | None, typer.Option(help="Also count effects by mapping.")] = None,
        json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Count what was read, applied, filtered and refused; exits with 1 when a record is unaccounted for."""
        run(ask(lambda queries: print_ledger(queries, by_mapping=by is not None, json=json)))


async def print_ledger(queries: Queries, *, by_mapping: bool, json: bool) -> None:
    """Print the ledger; exits with 1 when anything is unaccounted for."""
    ledger = await queries.ledger()
    show = ledger_json if json else ledger_text
    print(show(ledger, by_mapping=by_mapping))
    if any(ledger.unaccounted.values()):
        raise typer.Exit(1)


def ledger_text(ledger: Ledger, *, by_mapping: bool) -> str:
    """Tables for people. Reasons that never occurred have no column."""
    if not ledger.rows and not ledger.unaccounted:
        return "The ledger is empty: no service has applied a batch yet."
    parts = []
    if ledger.rows:
        reasons = [name for name in FILTERED_REASONS if any(row.filtered[name] for row in ledger.rows)]
        cells = [
            (
                r.service,
                r.topic,
                r.source or "-",
                r.read,
                r.applied,
                *(r.filtered[name] for name in reasons),
                r.dead,
                r.expired,
                r.holes,
            )
            for r in ledger.rows
        ]
        headers = ("service", "topic", "source", "read", "applied", *reasons, "dead", "expired", "holes")
        parts.append(table(headers, cells))
    if by_mapping:
        rows = [
            (e.service, e.topic, e.mapping, e.emitted, e.changed, e.repeated, e.superseded, e.suppressed, e.rejected)
            for e in ledger.effects
        ]
        names = (
            "service",
            "topic",
            "mapping",
            "emitted",
            "changed",
            "repeated",
            "superseded",
            "suppressed",
            "rejected",
        )
        parts.append(table(names, rows) if rows else "No mapping has had an effect yet.")
    if ledger.unaccounted:
        parts.append(table(("service", "unaccounted"), sorted(ledger.unaccounted.items())))
    return "\n\n".join(parts)


def ledger_json(ledger: Ledger, *, by_mapping: bool) -> str:
    """``{"records": […], "effects": […], "unaccounted": {service: n}}``."""
    records = [
        {
            "service": row.service,
            "topic": row.topic,
            "source": row.source,
            "read": row.read,
            "applied": row.applied,
            "filtered": dict(row.filtered),
            "dead": row.dead,
            "expired": row.expired,
            "holes": row.holes,
        }
        for row in ledger.rows
    ]
    found: dict[str, object] = {"records": records, "unaccounted": dict(ledger.unaccounted)}
    if by_mapping:
        found["effects"] = list(ledger.effects)
    return json_text(found)
