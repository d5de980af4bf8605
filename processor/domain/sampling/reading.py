"""What a mapping reads of an event: every plain path in it."""

import re
from collections.abc import Iterator
from typing import Any

from processor.domain.mappings.paths import path_parts, without_prefix
from processor.domain.sampling.placing import Path

__all__ = ["paths_read"]

_PLACEHOLDER = re.compile(r"\{\{\{?\s*([A-Za-z_$][\w$.\[\]]*)\s*\}")
_WORKED_OUT = frozenset(("@literal", "@jmespath", "@liquid"))
"""Directives whose text is no path, nor a template."""


def paths_read(spec: Any) -> list[Path]:
    """In the order of the mapping, each once; the whole event, which has no path, is not among them.

    Of an ``@if`` only what the last resort reads: that is where SDKs put what a default looks for first elsewhere.
    """
    return [path for path in dict.fromkeys(_paths(spec)) if path]


def _paths(spec: Any) -> Iterator[Path]:
    if isinstance(spec, str):
        yield from (path_parts(without_prefix(found)) for found in _PLACEHOLDER.findall(spec))
        if spec.startswith("$."):
            yield path_parts(without_prefix(spec))
    elif isinstance(spec, list):
        for each in spec:
            yield from _paths(each)
    elif isinstance(spec, dict):
        for key, value in spec.items():
            yield from _under(key, value)


def _under(key: str, value: Any) -> Iterator[Path]:
    """What a directive, or a key of the payload, reads."""
    if key == "@path" and isinstance(value, str):
        yield path_parts(without_prefix(value))
    elif key == "@arrayPath" and isinstance(value, list) and value:
        yield from _array(value)
    elif key == "@if" and isinstance(value, dict):
        yield from list(_paths(value.get("else"))) or _paths(value.get("then"))
    elif key not in _WORKED_OUT:
        yield from _paths(value)


def _array(value: list[Any]) -> Iterator[Path]:
    """The list itself, and what the shape of an item reads in its first one."""
    if isinstance(value[0], str):
        items = path_parts(without_prefix(value[0]))
        shape = list(_paths(value[1])) if len(value) > 1 else []
        yield from ((*items, "0", *path) for path in shape if path)
        if not shape:
            yield items
