"""The table of commands."""

import typer

from processor.cli import (
    config,
    contacts,
    deadletters,
    erasing,
    importing,
    ledger,
    merging,
    schemas,
    setup,
    trying,
    workflows,
)

__all__ = ["app"]

app = typer.Typer(
    name="isthmus",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A bridge between Twilio Segment and a customer directory, in both directions.",
)
importing.add(config.app)
merging.add(contacts.app)
erasing.add(contacts.app)
app.add_typer(config.app, name="config", help="Check, apply, compare, export and roll back the configuration.")
app.add_typer(contacts.app, name="contacts", help="Find, show, merge, delete and suppress contacts.")
app.add_typer(deadletters.app, name="deadletters", help="List and show what was refused.")
app.add_typer(workflows.app, name="workflows", help="Show the address that starts a workflow.")
trying.add(app)
schemas.add(app)
ledger.add(app)
setup.add(app)
