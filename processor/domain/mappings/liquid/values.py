"""Values in a template: JSON, ``MISSING``, and liquidjs's words ``nil``, ``empty`` and ``blank``.

Everything that walks a value pays for it at the context: a list that holds itself many times over is small in
memory and endless to print.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

from processor.domain.mappings.contract import fail
from processor.domain.mappings.javascript import MISSING, number_of, printed, truthy

__all__ = [
    "BLANK", "EMPTY", "NIL", "Meter", "Word", "as_list", "compared", "contains", "equal", "is_nil", "is_number",
    "length_of", "number", "plain", "property_of", "text", "true_in_liquid", "weigh", "written_true",
]  # fmt: skip

_DEEPEST = 200
"""Levels of lists and objects within each other that are walked."""
_ITEM = 8
"""What walking one item costs, in characters."""


class Meter(Protocol):
    """Who counts the work of one rendering."""

    def spend(self, amount: float) -> None:
        """Count so many characters of work. Rejects the event when there was too much."""


class Word:
    """``nil``, ``empty`` or ``blank`` as written in a template: compared in its own way, else its value."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    def equals(self, other: Any) -> bool:
        if self is NIL:
            return is_nil(plain(other))
        if isinstance(other, Word) and other is not NIL:
            return False
        other = plain(other)
        if self is BLANK and (other is False or is_nil(other) or (isinstance(other, str) and not other.strip())):
            return True
        return isinstance(other, str | list | dict) and not other


NIL, EMPTY, BLANK = Word("nil", None), Word("empty", ""), Word("blank", "")


def plain(value: Any) -> Any:
    """The value of a word, any other value as it is."""
    return value.value if type(value) is Word else value


def is_nil(value: Any) -> bool:
    return value is None or value is MISSING


def is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def true_in_liquid(value: Any) -> bool:
    """Only false, null and missing are false."""
    value = plain(value)
    return not (value is False or is_nil(value))


def written_true(value: Any) -> bool:
    """JavaScript's truth of an argument; a word is an object there."""
    return type(value) is Word or truthy(value)


def weigh(value: Any, meter: Meter, depth: int = 0) -> None:
    """Pay for everything in ``value``, before it is walked."""
    kind = type(value)
    if kind is str:
        meter.spend(len(value))
    elif kind is list or kind is dict:
        if depth == _DEEPEST:
            fail(f"a template looks into at most {_DEEPEST} levels of lists and objects")
        meter.spend(len(value) * _ITEM)
        if kind is dict:
            for key in value:
                meter.spend(len(key))
        for item in value.values() if kind is dict else value:
            if type(item) in (str, list, dict):
                weigh(item, meter, depth + 1)


def text(value: Any, meter: Meter) -> str:
    """What a value looks like in a text: nothing for null, a list's items one behind the other."""
    value = plain(value)
    if type(value) is str:
        meter.spend(len(value))
        return value
    if type(value) is list:
        weigh(value, meter)
        return "".join(map(_item_text, value))
    return "" if is_nil(value) else printed(value)


def _item_text(value: Any) -> str:
    value = plain(value)
    if type(value) is list:
        return "".join(map(_item_text, value))
    return "" if is_nil(value) else printed(value)


def number(value: Any, meter: Meter) -> float:
    """JavaScript's ``+value || 0``."""
    value = plain(value)
    if type(value) is list:
        weigh(value, meter)
        value = printed(value)
    if type(value) is str:
        meter.spend(len(value))
    found = 0.0 if type(value) is dict or is_nil(value) else _double(value)
    return 0.0 if found != found else found


def _double(value: Any) -> float:
    try:
        return number_of(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_list(value: Any) -> list[Any]:
    """A list as it is, nothing for null, a list of one for anything else."""
    value = plain(value)
    if type(value) is list:
        return value
    return [] if is_nil(value) else [value]


def length_of(value: str | list[Any]) -> int:
    """JavaScript's ``length``: of a text in halves of four bytes."""
    if type(value) is str and not value.isascii():
        return len(value) + sum(char > "\uffff" for char in value)
    return len(value)


def property_of(value: Any, key: Any, meter: Meter) -> Any:
    """``value.key`` or ``value[key]``: members, items, characters; ``size``, ``first`` and ``last``."""
    value, key = plain(value), plain(key)
    if is_nil(value):
        return value
    kind = type(value)
    if kind is list and is_number(key):
        index = key + len(value) if key < 0 else key
        return value[int(index)] if index == int(index) and 0 <= index < len(value) else MISSING
    if type(key) is not str:
        weigh(key, meter)
        key = printed(key)
    if kind is dict:
        found = value.get(key, MISSING)
        return len(value) if key == "size" and found is MISSING else found
    if kind is not list and kind is not str:
        return MISSING
    if key in ("size", "length"):
        meter.spend(len(value) if kind is str else 0)
        return length_of(value)
    if kind is list and key in ("first", "last"):
        return (value[0] if key == "first" else value[-1]) if value else MISSING
    if key.isascii() and key.isdecimal() and str(int(key[:12])) == key and int(key) < len(value):
        return value[int(key)]
    return MISSING


def equal(left: Any, right: Any, meter: Meter, depth: int = 0) -> bool:
    """Liquid's ``==``: strict as JavaScript's, lists item by item, objects only with themselves."""
    for one, other in ((left, right), (right, left)):
        if type(one) is Word:
            return one.equals(other)
    meter.spend(_ITEM)
    if type(left) is list:
        if type(right) is not list or len(left) != len(right):
            return False
        if depth == _DEEPEST:
            fail(f"a template compares at most {_DEEPEST} levels of lists")
        return all(equal(one, other, meter, depth + 1) for one, other in zip(left, right, strict=True))
    if type(left) is dict:
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is str:
        meter.spend(len(left))
    return type(left) is type(right) and bool(left == right)


def compared(left: Any, right: Any, test: Callable[[Any, Any], bool], meter: Meter) -> bool:
    """``<`` and its kind, as JavaScript compares: two texts as texts, anything else as numbers."""
    if type(left) is Word or type(right) is Word:
        return False
    left, right = _primitive(left, meter), _primitive(right, meter)
    if type(left) is str and type(right) is str:
        meter.spend(min(len(left), len(right)))
        return test(left, right)
    return test(_ordered(left), _ordered(right))


def _primitive(value: Any, meter: Meter) -> Any:
    if type(value) is list or type(value) is dict:
        if type(value) is list:
            weigh(value, meter)
        return printed(value)
    return value


def _ordered(value: Any) -> float:
    if value is None:
        return 0.0
    return math.nan if value is MISSING else _double(value)


def contains(value: Any, part: Any, meter: Meter) -> bool:
    """Whether a list has an equal item, or a text a part; false for anything else."""
    value = plain(value)
    if type(value) is list:
        return any(equal(item, part, meter) for item in value)
    if type(value) is not str:
        return False
    part = plain(part)
    weigh(part, meter)
    part = printed(part)
    meter.spend(len(value))
    return part in value
