"""``isthmus workflows``: the address that starts a workflow."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from processor.adapters.postgres.revisions import PostgresRevisions
from processor.cli import run
from processor.cli.context import database, load_settings, run_file
from processor.cli.documents import checked_document, read_document
from processor.config import Secrets, check
from processor.config.workflows import WorkflowEntry
from processor.errors import ConfigError
from processor.settings import Settings

__all__ = ["address_of", "app"]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def workflows() -> None:
    """Addresses of workflows."""


@app.command()
def url(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.")],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A document, instead of the revision in force.")
    ] = None,
) -> None:
    """Print the address to which events are posted, its token in it: whoever has it can start the workflow."""
    run(_url(id_, config))


async def _url(id_: str, config: Path | None) -> None:
    settings = load_settings(need_postgres=config is None)
    entries = await _workflows(config)
    known = {entry.id: entry for entry in entries}
    if id_ not in known:
        listed = ", ".join(known) or "none"
        raise ConfigError(f"there is no workflow {id_}: the document has {listed}")
    secrets = Secrets(os.environ, settings.data_dir)
    print(address_of(known[id_], settings, secrets, str(run_file(settings).get("url", ""))))


async def _workflows(config: Path | None) -> tuple[WorkflowEntry, ...]:
    if config is not None:
        return checked_document(config, read_document(config)).workflows
    async with database(load_settings(need_postgres=True)) as pool:
        revision = await PostgresRevisions(pool).latest()
    if revision is None:
        raise ConfigError("no configuration yet: run `isthmus config apply FILE`")
    return check(revision.document, rules=False).workflows


def address_of(workflow: WorkflowEntry, settings: Settings, secrets: Secrets, running: str) -> str:
    """``running``: the address of the embedded parts, where they run; else it is the public one, or this process's.

    Raises ``ConfigError`` where there is no token to be shown.
    """
    base = settings.public_url or running or f"http://{settings.host}:{settings.port}"
    if not workflow.url_tokens:
        raise ConfigError(f"workflow {workflow.id} has no url_token: give it one, or post with an API token")
    token = secrets.resolve(workflow.url_tokens[0])
    if token is None:
        raise ConfigError(f"workflow {workflow.id}: {workflow.url_tokens[0]} is not set here")
    return f"{base.rstrip('/')}/workflows/{quote(workflow.id)}/events?token={quote(token, safe='')}"
