"""The few habits of JavaScript that Segment's runtime lets an event's owner see: reading, printing, truth.

Values are JSON as Python holds it. ``MISSING`` is JavaScript's ``undefined``: no value at all, not ``null``.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["MISSING", "Missing", "get", "members", "number_of", "printed", "step", "trim", "truthy"]


class Missing:
    """The type of ``MISSING``, of which there is one. It is false, and never part of a payload."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __copy__(self) -> "Missing":
        return self

    def __deepcopy__(self, _memo: object) -> "Missing":
        return self

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_NO_INDEX = 2**32 - 1
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BASES = {"0x": 16, "0o": 8, "0b": 2}
_SPACE = " \t\n\r\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # noqa: E501, RUF100
_DEEPEST = 64
"""Arrays within arrays that are printed; deeper ones print as nothing."""


def step(value: Any, key: str) -> Any:
    """One step of a path: ``value[key]``. Null, 0, "" and false give themselves."""
    kind = type(value)
    if kind is dict:
        return value.get(key, MISSING)
    if not value and kind is not list:
        return value
    if kind is list:
        if key == "length":
            return len(value)
        if _INDEX.fullmatch(key) and (at := int(key)) < len(value):
            return value[at]
    elif kind is str:
        return _character(value, key)
    return MISSING


def _character(text: str, key: str) -> Any:
    units = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    if key == "length":
        return units
    if _INDEX.fullmatch(key) and (at := int(key)) < len(text) and units == len(text):
        return text[at]
    return MISSING


def members(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """The members in JavaScript's order: keys that could be an index come first, by number."""
    indexes = [key for key in value if key[:1].isdigit() and _INDEX.fullmatch(key) and int(key) < _NO_INDEX]
    if not indexes:
        return value.items()
    keys = dict.fromkeys([*sorted(indexes, key=int), *value])
    return ((key, value[key]) for key in keys)


def get(value: Any, path: tuple[str, ...]) -> Any:
    """The value at ``path``, ``MISSING`` where there is none."""
    for key in path:
        value = step(value, key)
    return value


def truthy(value: Any) -> bool:
    """JavaScript's truth: empty arrays and objects are true, NaN is not."""
    kind = type(value)
    if kind is dict or kind is list:
        return True
    return bool(value) and value == value


def trim(text: str) -> str:
    """Without the white space around it, as JavaScript counts white space."""
    return text.strip(_SPACE)


def number_of(value: Any) -> float:
    """JavaScript's ``Number()`` of a text, boolean or number; NaN where it is none."""
    if not isinstance(value, str):
        return float(value)
    text = trim(value)
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if text in ("Infinity", "+Infinity", "-Infinity"):
        return float(text)
    base = _BASES.get(text[:2].lower())
    if base:
        try:
            return float(int(text[2:], base)) if "_" not in text and text[2:].isalnum() else float("nan")
        except (ValueError, OverflowError):
            return float("nan")
    return float("nan")


def printed(value: Any, depth: int = 0) -> str:
    """JavaScript's ``String()``: what a value looks like inside a text."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value) if abs(value) < 10**21 else _float(_double(value))
    if kind is float:
        return _float(value)
    if kind is list:
        if depth >= _DEEPEST:
            return ""
        return ",".join("" if item is None or item is MISSING else printed(item, depth + 1) for item in value)
    if value is None:
        return "null"
    return "undefined" if value is MISSING else "[object Object]"


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _float(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value)) if abs(value) < 2**53 else _positional(value)
    if 1e-6 <= abs(value) < 1e21:
        return _positional(value)
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return digits
    return f"{digits.removesuffix('.0')}e{'-' if exponent[0] == '-' else '+'}{exponent.lstrip('+-').lstrip('0')}"


def _positional(value: float) -> str:
    """The shortest digits that read back as ``value``, without an exponent."""
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    digits, point = whole + fraction, len(whole) + int(exponent)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits.ljust(point, '0')}"
