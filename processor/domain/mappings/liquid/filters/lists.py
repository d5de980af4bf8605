"""Filters of lists, and those that take anything."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from processor.domain.mappings.contract import fail
from processor.domain.mappings.javascript import MISSING, number_of, printed, truthy
from processor.domain.mappings.json_text import json_text
from processor.domain.mappings.liquid.characters import SyntaxFault
from processor.domain.mappings.liquid.expressions import Known, Scanner
from processor.domain.mappings.liquid.values import (
    Meter,
    Word,
    as_list,
    equal,
    is_nil,
    is_number,
    length_of,
    plain,
    property_of,
    text,
    true_in_liquid,
    weigh,
    written_true,
)

__all__ = ["LISTS"]

_Filter = Callable[..., Any]
_ITEM = 4
"""What copying one item costs, in characters."""
_INDENT = 10
"""Blanks before a level at most. Source: JSON.stringify."""


def _copied(meter: Meter, value: Any) -> list[Any]:
    items = as_list(value)
    meter.spend(len(items) * _ITEM)
    return list(items)


def _default(_meter: Meter, value: Any, other: Any = MISSING, *options: Any) -> Any:
    value = plain(value)
    if type(value) is list or type(value) is str:
        return value or other
    allowed = (type(each) is list and each[0] == "allow_false" and written_true(each[1]) for each in options)
    if value is False and any(allowed):
        return False
    return value if true_in_liquid(value) else other


def _same(_meter: Meter, value: Any, *_given: Any) -> Any:
    return value


def _json(meter: Meter, value: Any, indent: Any = 0, *_more: Any) -> Any:
    if type(value) is Word:
        return "{}"
    if value is MISSING:
        return MISSING
    weigh(value, meter)
    gap = _gap(plain(indent))
    try:
        written = _indented(value, gap, "", meter) if gap else json_text(value)
    except ValueError as error:
        fail(str(error))
    meter.spend(len(written))
    return written


def _gap(indent: Any) -> str:
    if type(indent) is str:
        return indent[:_INDENT]
    return " " * min(_INDENT, int(indent)) if is_number(indent) and indent >= 1 else ""


def _indented(value: Any, gap: str, before: str, meter: Meter) -> str:
    if type(value) not in (dict, list) or not value:
        return json_text(plain(value))
    inner = before + gap
    meter.spend((len(inner) + 1) * len(value))
    if type(value) is list:
        parts = [_indented(item, gap, inner, meter) for item in value]
    else:
        parts = [f"{json_text(key)}: {_indented(item, gap, inner, meter)}" for key, item in value.items()]
    opening, closing = ("[", "]") if type(value) is list else ("{", "}")
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{before}{closing}"


def _join(meter: Meter, value: Any, separator: Any = MISSING, *_more: Any) -> str:
    items = as_list(value)
    between = " " if is_nil(plain(separator)) else text(separator, meter)
    weigh(items, meter)
    meter.spend(len(between) * len(items))
    return between.join("" if is_nil(each) else printed(each) for each in map(plain, items))


def _end(at: int) -> _Filter:
    def item(_meter: Meter, value: Any, *_given: Any) -> Any:
        value = plain(value)
        if type(value) is list or (type(value) is str and value):
            return value[at] if value else MISSING
        if type(value) is dict and is_number(value.get("length")):
            return MISSING
        return ""

    return item


def _size(meter: Meter, value: Any, *_given: Any) -> Any:
    if type(value) is str or type(value) is list:
        meter.spend(len(value) if type(value) is str else 1)
        return length_of(value)
    if type(value) is dict:
        found = value.get("length", 0)
        return found if truthy(found) else 0
    return 0


def _sum(meter: Meter, value: Any, path: Any = MISSING, *_more: Any) -> float:
    total = 0.0
    keys = text(path, meter).split(".") if written_true(path) else []
    for item in as_list(value):
        meter.spend(_ITEM * (len(keys) + 2))
        for key in keys:
            item = property_of(item, key, meter)
        item = plain(item)
        if item is None:
            continue
        if type(item) is list:
            weigh(item, meter)
            item = printed(item)
        if type(item) in (str, int, float, bool):
            found = number_of(item)
            total += 0.0 if math.isnan(found) else found
    return total


def _compact(meter: Meter, value: Any, *_given: Any) -> list[Any]:
    return [item for item in _copied(meter, value) if not is_nil(plain(item))]


def _push(meter: Meter, value: Any, item: Any = MISSING, *_more: Any) -> list[Any]:
    return [*_copied(meter, value), item]


def _unshift(meter: Meter, value: Any, item: Any = MISSING, *_more: Any) -> list[Any]:
    return [item, *_copied(meter, value)]


def _pop(meter: Meter, value: Any, *_given: Any) -> list[Any]:
    return _copied(meter, value)[:-1]


def _shift(meter: Meter, value: Any, *_given: Any) -> list[Any]:
    return _copied(meter, value)[1:]


def _slice(meter: Meter, value: Any, begin: Any = MISSING, length: Any = 1, *_more: Any) -> Any:
    value = plain(value)
    if is_nil(value):
        return []
    items = value if type(value) is list else text(value, meter)
    length = 1 if length is MISSING else length
    to_whole = math.trunc if type(items) is list else math.ceil
    start, count = _count(begin, to_whole), _count(length, to_whole)
    if start < 0:
        start += len(items)
        begin = start
    if start < 0 or count < 0:
        return items[:0]
    stop = _count(_sum_of(begin, length, meter)) if type(items) is list else start + count
    start, stop = int(min(start, len(items))), int(min(stop, len(items)))
    meter.spend((stop - start) * (_ITEM if type(items) is list else 1))
    return items[start:stop]


def _sum_of(begin: Any, length: Any, meter: Meter) -> float:
    """JavaScript's ``begin + length``, which of texts is a text."""
    given = [plain(begin), plain(length)]
    if any(type(each) in (str, list, dict) for each in given):
        return _count("".join(text(each, meter) if type(each) is str else printed(each) for each in given))
    return math.nan if MISSING in given else _count(begin) + _count(length)


def _count(value: Any, to_whole: Callable[[float], int] = math.trunc) -> float:
    value = plain(value)
    if type(value) not in (str, int, float, bool):
        return 0.0
    found = number_of(value)
    return 0.0 if math.isnan(found) else float(to_whole(found)) if math.isfinite(found) else found


def _where(meter: Meter, value: Any, path: Any = MISSING, wanted: Any = MISSING, *_more: Any) -> list[Any]:
    """The items whose property is ``wanted``, or true where that is not given."""
    written = text(path, meter)
    scanner = Scanner(written[:1000], 0, min(len(written), 1000), Known({}))
    try:
        read = scanner.property_path()
    except SyntaxFault as error:
        fail(f"where: {error.message}")
    kept: list[Any] = []
    for item in _copied(meter, value):
        meter.spend(_ITEM * 8)
        found = read(_Item(item, meter)) if read is not None else MISSING
        if true_in_liquid(found) if wanted is MISSING else equal(found, wanted, meter):
            kept.append(item)
    return kept


class _Item:
    """An item of a list as the variables of an expression."""

    __slots__ = ("item", "meter")

    def __init__(self, item: Any, meter: Meter) -> None:
        self.item, self.meter = item, meter

    def spend(self, amount: float) -> None:
        self.meter.spend(amount)

    def variable(self, name: str) -> Any:
        return property_of(self.item, name, self.meter)


LISTS: Mapping[str, _Filter] = {
    "compact": _compact,
    "default": _default,
    "first": _end(0),
    "inspect": _json,
    "join": _join,
    "json": _json,
    "jsonify": _json,
    "last": _end(-1),
    "pop": _pop,
    "push": _push,
    "raw": _same,
    "shift": _shift,
    "size": _size,
    "slice": _slice,
    "sum": _sum,
    "unshift": _unshift,
    "where": _where,
}
