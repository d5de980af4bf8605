"""``isthmus schema``: what stands on our topics, as JSON Schema."""

from importlib import resources
from typing import Annotated

import typer

__all__ = ["add", "names", "schema_text"]


def add(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command("schema")(schema)


def schema(
    name: Annotated[str, typer.Argument(help="A topic, or a topic's headers; left out, all names.")] = "",
) -> None:
    """Print the JSON Schema of a topic's records, or of their headers."""
    if not name:
        print("\n".join(names()))
    elif name in names():
        print(schema_text(name), end="")
    else:
        raise typer.BadParameter(f"there is no schema {name}: there are {', '.join(names())}")


def names() -> list[str]:
    """``TOPIC`` and ``TOPIC.headers``, without the topics' prefix."""
    files = resources.files("processor.schemas").iterdir()
    return sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json"))


def schema_text(name: str) -> str:
    return resources.files("processor.schemas").joinpath(f"{name}.json").read_text("utf-8")
