"""A value as compact JSON text, as JavaScript's ``JSON.stringify`` writes it."""

import json
import math
from typing import Any

import orjson

from processor.domain.mappings.javascript import MISSING, members, printed

__all__ = ["json_text"]

_DEEPEST = 200
"""Levels that are written; our parser reads more, the writers behind us do not."""


def json_text(value: Any, depth: int = 0) -> str:
    """JSON without spaces; a missing key is left out, a missing item is null, 2.0 is 2. ``ValueError`` if too deep.

    ``value`` is walked as often as it holds its parts: who does not know it has it weighed before.
    """
    if depth > _DEEPEST:
        raise ValueError(f"at most {_DEEPEST} levels can be written as JSON")
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is dict:
        written = (f"{_quoted(k)}:{json_text(v, depth + 1)}" for k, v in members(value) if v is not MISSING)
        return f"{{{','.join(written)}}}"
    if kind is list:
        return f"[{','.join(json_text(item, depth + 1) for item in value)}]"
    if value is None or value is MISSING or (kind is float and not math.isfinite(value)):
        return "null"
    return printed(value)


def _quoted(text: str) -> str:
    try:
        return orjson.dumps(text).decode()
    except orjson.JSONEncodeError:  # half a character
        return json.dumps(text)
