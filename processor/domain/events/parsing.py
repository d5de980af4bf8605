"""Bytes of a client to JSON, as forgiving as one body with a bad item in it needs."""

import json
import math
from typing import Any

import orjson

from processor.errors import RejectedError

__all__ = ["parse"]


def parse(body: bytes) -> Any:
    """JSON of a body. Raises ``RejectedError``: ``not_json`` or ``too_deep``.

    Half surrogate pairs and numbers beyond a double are no fault of the whole body: what holds them is refused later.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _parse_exactly(body)


def _parse_exactly(body: bytes) -> Any:
    """What orjson refuses as a whole, so that the one bad item of a batch is found and the others pass."""
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_int=_number, parse_float=_number, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise RejectedError("too_deep", "Objects and arrays nest too deeply; flatten them.") from None
    except ValueError:
        raise RejectedError("not_json", "The body is not valid JSON in UTF-8.") from None


def _number(text: str) -> int | float:
    if len(text) < 19 and text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    # orjson would write an infinity as null; an integer that large it refuses, and the event is then looked at.
    if math.isinf(number):
        return 2**65
    return int(text) if text.lstrip("-").isdigit() and -(2.0**63) <= number < 2.0**64 else number


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
