"""``isthmus try`` and ``isthmus sample``: what a mapping would do with an event, and an event to try it with.

Both only read: a document, or the revision in force.
"""

import sys
import time
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

import typer

from processor.adapters.postgres.revisions import PostgresRevisions
from processor.cli import run
from processor.cli.context import database, load_settings
from processor.cli.documents import checked_document, print_warnings, read_document
from processor.cli.tables import json_text
from processor.cli.trial_text import trials_text
from processor.config import rules_of
from processor.domain.rules import Rules
from processor.domain.sampling import Making, known_list, sample_for, sample_of
from processor.domain.trying import Given, named, read_event, shown_trial, try_event
from processor.errors import ConfigError, RejectedError

__all__ = ["add"]

_Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A document, instead of the revision in force; needs no database.")
]
_Type = Literal["identify", "track", "page", "screen", "group", "alias"]


def add(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("try")(try_one)
    app.command("sample")(sample)


def try_one(
    event: Annotated[str, typer.Option(metavar="FILE|-", help="A file with one event in JSON; -: standard input.")],
    mapping: Annotated[str, typer.Option(metavar="NAME", help="Only this mapping; all if left out.")] = "",
    source: Annotated[str, typer.Option(metavar="ID", help="As from this source; else the mapping's first.")] = "",
    config: _Config = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try an event: each mapping's filter clause by clause, its payload, and what would be done. Writes nothing."""
    given = Given(_read(event), _now_ms(), str(uuid4()))
    run(_try(given, mapping, source, config, json=json))


def sample(
    type_: Annotated[_Type | None, typer.Option("--type", help="An event of this type.")] = None,
    mapping: Annotated[
        str, typer.Option(metavar="NAME", help="An event that this mapping's filter lets through.")
    ] = "",
    config: _Config = None,
) -> None:
    """Print a test event, as an SDK would send it, for `isthmus try` or for the tracking API."""
    if (type_ is None) is (not mapping):
        raise typer.BadParameter("give either --type or --mapping")
    making = Making(_now_ms(), f"sample-{uuid4()}")
    if type_ is not None:
        print(json_text(sample_of(type_, making)))
    else:
        run(_sample(making, mapping, config))


async def _try(given: Given, mapping: str, source: str, config: Path | None, *, json: bool) -> None:
    rules = await _rules(config)
    wanted = [named(rules, mapping)] if mapping else rules.rules
    try:
        event = read_event(given, source)
    except RejectedError as error:
        if not json:
            raise RejectedError(error.code, f"ingress would refuse this event, {error.code}: {error.message}") from None
        print(json_text({"refused": {"code": error.code, "message": error.message}}))
        raise typer.Exit(1) from None
    trials = list(try_event(given, rules, wanted, source or None))
    if json:
        print(
            json_text(
                {
                    "event": (trials[0].event if trials else event).body,
                    "mappings": [shown_trial(trial) for trial in trials],
                }
            )
        )
    else:
        print(trials_text(trials))


async def _sample(making: Making, mapping: str, config: Path | None) -> None:
    rules = await _rules(config)
    rule = named(rules, mapping)
    print(json_text(sample_for(rule, Making(making.now_ms, making.message_id, known_list(rule, rules)))))


async def _rules(config: Path | None) -> Rules:
    if config is not None:
        checked = checked_document(config, read_document(config))
        print_warnings(config, checked.warnings)
        return rules_of(checked, 0)
    async with database(load_settings(need_postgres=True)) as pool:
        revision = await PostgresRevisions(pool).latest()
    if revision is None:
        raise ConfigError("no configuration is in force; run `isthmus config apply FILE`, or try with --config FILE")
    return rules_of(checked_document(Path(f"revision {revision.number}"), revision.document), revision.number)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
