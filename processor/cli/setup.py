"""Commands that prepare and run: ``migrate``, ``topics``, ``run``, ``resume``, ``version``, and ``up``."""

import socket
from importlib import metadata
from typing import Annotated, Literal

import typer

from processor.adapters.postgres.migrate import Phase, migrate
from processor.adapters.postgres.pool import transaction
from processor.cli import run, up
from processor.cli.context import database, load_settings
from processor.distribution import check_distribution

__all__ = ["add"]


def add(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("migrate")(migrate_database)
    app.command("topics")(make_topics)
    app.command("run")(run_services)
    app.command("resume")(resume)
    app.command("version")(version)
    up.add(app)


def migrate_database(
    phase: Annotated[
        Literal["pre", "post"] | None,
        typer.Argument(help="`pre` while the old release still runs, `post` once it is gone; both if left out."),
    ] = None,
) -> None:
    """Bring the database's schema up to date."""
    run(_migrate(phase or "all"))


async def _migrate(phase: Phase) -> None:
    settings = load_settings(need_postgres=True)
    ran = await migrate(settings.postgres.get_secret_value(), phase)
    for name in ran:
        print(f"ran {name}")
    if not ran:
        print("The schema is up to date.")


def make_topics() -> None:
    """Create our own topics where they are missing."""
    # Only this command and the services need Kafka's client, which is slow to load.
    from processor.adapters.kafka.topics import ensure_topics

    async def make() -> None:
        made = await ensure_topics(load_settings(need_kafka=True))
        for name in made:
            print(f"created {name}")
        if not made:
            print("All topics are there.")

    run(make())


def run_services(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="ingress, api, directory, rejects, …")],
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes of ingress on the one port; default: ISTHMUS_WORKERS")
    ] = None,
    listener: Annotated[list[int] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run processes by name, several of them in one process, until a signal ends them."""
    settings = load_settings(need_kafka=True, need_postgres=True)
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    check_distribution()
    if settings.workers > 1 and not listener:
        from processor.up.workers import check_workers, run_workers

        check_workers(settings, names)
        run(run_workers(settings))
        return
    # The wiring loads every service and its libraries; no other command needs them.
    from processor.wiring import run as run_wired

    # A worker has these from its parent, by number.
    raise typer.Exit(run_wired(settings, names, [socket.socket(fileno=number) for number in listener or ()]))


def resume(service: Annotated[str, typer.Argument(help="Name of the paused service.")]) -> None:
    """Let a service go on that paused because it refused too much."""
    run(_resume(service))


async def _resume(service: str) -> None:
    async with database(load_settings(need_postgres=True)) as pool, transaction(pool) as connection:
        revision = await connection.fetchval(
            "UPDATE pauses SET resumed = true WHERE service = $1 AND NOT resumed RETURNING revision", service
        )
    if revision is None:
        print(f"The service {service!r} is not paused.")
        raise typer.Exit(1)
    print(f"{service} goes on with revision {revision} within a few seconds.")


def version() -> None:
    """Print the version."""
    print(metadata.version("isthmus"))
