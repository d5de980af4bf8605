"""Statements of the reading side: files of SQL, each statement under its name."""

import re
from importlib import resources

__all__ = ["statements"]


def statements(file: str) -> dict[str, str]:
    """The statements of one file of this folder by their names (``-- name: NAME`` above each)."""
    text = (resources.files(__name__) / file).read_text("utf-8")
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
