"""Filters of numbers, which are doubles as in JavaScript."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from processor.domain.mappings.javascript import MISSING, number_of, printed
from processor.domain.mappings.liquid.values import Meter, is_number, number, plain, weigh

__all__ = ["NUMBERS"]

_LARGEST = 2**53 - 1
_Filter = Callable[..., Any]


def _of_numbers(compute: Callable[..., float]) -> _Filter:
    """A filter whose value and arguments are taken as numbers; an argument that is not written is none."""

    def apply(meter: Meter, *given: Any) -> float:
        return compute(*(number(each, meter) for each in given))

    return apply


def _of_two(compute: Callable[[float, float], float]) -> _Filter:
    return _of_numbers(lambda one, other=math.nan, *_more: compute(one, other))


def _whole(round_down: Callable[[float], int]) -> _Filter:
    return _of_numbers(lambda value, *_more: float(round_down(value)) if math.isfinite(value) else value)


def _divided(dividend: float, divisor: float = math.nan, whole: float = 0.0, *_more: float) -> float:
    if divisor == 0:
        found = math.nan if dividend == 0 else math.copysign(math.inf, dividend) * math.copysign(1, divisor)
    else:
        found = dividend / divisor
    return float(math.floor(found)) if whole and math.isfinite(found) else found


def _remainder(value: float, divisor: float) -> float:
    if divisor == 0 or not math.isfinite(value) or divisor != divisor:
        return math.nan
    first = math.fmod(value, divisor) + divisor
    return math.fmod(first, divisor) if math.isfinite(first) else math.nan


def _shifted(value: float, places: float) -> float:
    """``value`` with the point so many places further right, in decimal digits."""
    mantissa, _, power = printed(value).partition("e")
    return number_of(f"{mantissa}e{printed(number_of(power or '0') + places)}")


def _round(meter: Meter, value: Any, places: Any = 0, *_more: Any) -> float:
    given, shift = number(value, meter), number(places, meter)
    scaled = _shifted(abs(given), shift)
    if not scaled <= _LARGEST:
        return given
    whole = math.floor(scaled)
    rounded = _shifted(float(whole + (scaled - whole >= 0.5)), -shift)
    return -rounded if given < 0 else rounded


def _to_integer(meter: Meter, value: Any, *_more: Any) -> float:
    """``Number(value)``, which is no integer by necessity."""
    value = plain(value)
    if value is MISSING:
        return math.nan
    if value is None:
        return 0.0
    if type(value) is dict:
        return math.nan
    weigh(value, meter)
    return number_of(printed(value)) if not is_number(value) and type(value) is not bool else number_of(value)


NUMBERS: Mapping[str, _Filter] = {
    "abs": _of_numbers(lambda value, *_more: abs(value)),
    "at_least": _of_numbers(lambda *values: max(values)),
    "at_most": _of_numbers(lambda *values: min(values)),
    "ceil": _whole(math.ceil),
    "divided_by": _of_numbers(_divided),
    "floor": _whole(math.floor),
    "minus": _of_two(lambda one, other: one - other),
    "modulo": _of_two(_remainder),
    "plus": _of_two(lambda one, other: one + other),
    "round": _round,
    "times": _of_two(lambda one, other: one * other),
    "to_integer": _to_integer,
}
