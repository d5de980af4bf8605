"""Paths as Segment's mapping kit splits them. Source: conformance/README.md, "Mappings"."""

import re
from collections.abc import Callable
from typing import Any

from processor.domain.mappings.javascript import MISSING, get, step

__all__ = ["Resolve", "path_parts", "reader", "without_prefix"]

Resolve = Callable[[Any], Any]
"""Event to value or ``MISSING``."""

_BETWEEN = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")


def without_prefix(path: str) -> str:
    """Without the first ``$.``, wherever it stands: that is what Segment takes off."""
    return path.replace("$.", "", 1)


def path_parts(path: str) -> tuple[str, ...]:
    """The keys of a path, none for the whole event. Brackets split only before an index or a quote."""
    return tuple(re.sub("['\"]", "", part) for part in _BETWEEN.split(path) if part)


def reader(path: str, *, sure: bool) -> Resolve:
    """The function that reads ``path``; ``sure``: it will only ever be given an object."""
    parts = path_parts(path)
    if not parts:
        return lambda event: event
    if not sure:
        return lambda event: get(event, parts)
    first, *rest = parts
    if not rest:
        return lambda event: event.get(first, MISSING)
    if len(rest) == 1:
        second = rest[0]

        def two(event: Any) -> Any:
            value = event.get(first, MISSING)
            return value.get(second, MISSING) if type(value) is dict else step(value, second)

        return two

    def many(event: Any) -> Any:
        value = event.get(first, MISSING)
        for key in rest:
            value = value.get(key, MISSING) if type(value) is dict else step(value, key)
        return value

    return many
