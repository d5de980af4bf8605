"""What ``length``, ``lowercase`` and ``typeof`` make of a value; of a value that they do not know, none.

Source: Segment, "Destination Filter Query Language", Functions; ``object`` is ours, Segment names no such type.
"""

from collections.abc import Callable
from typing import Any

from processor.domain.filters.tree import Function
from processor.domain.mappings.javascript import MISSING

__all__ = ["TYPES", "VALUE_FUNCTIONS"]

_NAMES: dict[type, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "bool",
    list: "list",
    dict: "object",
}
TYPES = (*dict.fromkeys(_NAMES.values()), "null")
"""What ``typeof`` may answer."""


def _length(value: Any) -> Any:
    """Bytes of a text, items of a list, 0 for null and for nothing."""
    if type(value) is str:
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if type(value) is list:
        return len(value)
    return 0 if value is None or value is MISSING else MISSING


def _lowercase(value: Any) -> Any:
    return value.lower() if type(value) is str else MISSING


def _typeof(value: Any) -> Any:
    return _NAMES.get(type(value), "null")


VALUE_FUNCTIONS: dict[Function, Callable[[Any], Any]] = {"length": _length, "lowercase": _lowercase, "typeof": _typeof}
