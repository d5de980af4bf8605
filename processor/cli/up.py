"""`isthmus up`: everything on this machine, on one port of 127.0.0.1."""

import os
from pathlib import Path

import typer

from processor.cli import run
from processor.settings import Settings

__all__ = ["add"]


def add(app: typer.Typer) -> None:
    """Add the command to the application."""

    @app.command("up")
    def up(
        data_dir: Path | None = typer.Option(
            None, "--data-dir", help="Folder of the data; default: ISTHMUS_DATA_DIR, else .isthmus", show_default=False
        ),
        port: int | None = typer.Option(
            None, "--port", min=0, max=65_535, help="Port of 127.0.0.1; 0: any free one; default: 8080"
        ),
        config: Path | None = typer.Option(
            None, "--config", help="Apply this document when it differs from the last revision"
        ),
    ) -> None:
        """Start broker, database, ingress, api and services, each restarted when it dies; Ctrl-C stops them."""
        from processor.up.session import run_session
        from processor.up.supervisor import Options

        settings = Settings.from_env(os.environ)
        if data_dir is not None:
            settings = settings.model_copy(update={"data_dir": data_dir})
        options = Options(port=settings.port if port is None else port, config=config.absolute() if config else None)
        run(run_session(options, settings, os.environ))
