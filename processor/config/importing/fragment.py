"""A connection as YAML: short values in JSON's own notation, which YAML reads, longer ones a line for each key."""

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["fragment"]

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*( [A-Za-z0-9_-]+)*")
_TAKEN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_WIDTH = 110
_NOTE = "  # or the ids of the sources that feed it, such as [web]"


def fragment(connection: Mapping[str, Any]) -> str:
    """The section ``connections`` with this one connection."""
    lines = _lines({"connections": [connection]}, 0)
    return "".join(f"{line}{_NOTE if line == '    sources: all' else ''}\n" for line in lines)


def _lines(value: Any, indent: int) -> list[str]:
    margin = " " * indent
    if isinstance(value, dict) and value:
        return [line for key, item in value.items() for line in _entry(key, item, indent)]
    if isinstance(value, list) and value:
        entries = [_lines(item, indent + 2) for item in value]
        return [line for first, *rest in entries for line in (f"{margin}- {first[indent + 2 :]}", *rest)]
    return [margin + _flow(value)]


def _entry(key: str, value: Any, indent: int) -> list[str]:
    start = f"{' ' * indent}{_text(key)}:"
    if isinstance(value, str):
        return [f"{start} {_text(value)}"]
    if not value or not isinstance(value, dict | list):
        return [f"{start} {_flow(value)}"]
    short = f"{start} {_flow(value)}"
    plain = isinstance(value, dict) and not any(name.startswith("@") for name in value)
    if len(short) <= _WIDTH and not plain and key not in ("connections", "mappings"):
        return [short]
    return [start, *_lines(value, indent + 2)]


def _text(value: str) -> str:
    """As a person would write it: a word as it is, a text with double quotes in single ones."""
    if _WORD.fullmatch(value) and value.lower() not in _TAKEN:
        return value
    if '"' in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return _flow(value)


def _flow(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if written.isprintable() else json.dumps(value)
