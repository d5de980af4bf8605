"""Values worth trying for a field, the likeliest first: what its conditions name, and what lies beside that."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from processor.domain.filters import Condition
from processor.domain.mappings.javascript import MISSING
from processor.domain.sampling.placing import Path, plausible
from processor.domain.sampling.typed import SAMPLE_TYPES

__all__ = ["guesses"]

_WHEN = "2026-01-31T12:00:00.000Z"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST = 10_000
"""Characters of a text that is made for its length."""
_OTHERS: tuple[Any, ...] = (True, False, 1, [], {}, "x")


def guesses(path: Path, conditions: Sequence[Condition]) -> Iterator[Any]:
    """``MISSING`` among them: the field left out."""
    wanted = list(dict.fromkeys(value for condition in conditions for value in _values(condition.value)))
    texts = [value for value in wanted if isinstance(value, str)]
    numbers = sorted({float(value) for value in wanted if isinstance(value, int | float) and math.isfinite(value)})
    yield from _joined(conditions)
    yield from texts
    if path == ("type",):
        yield from SAMPLE_TYPES
    yield from _near(numbers)
    yield plausible(path, _WHEN)
    yield from _filled(texts)
    yield from _foreign(texts)
    yield from _OTHERS
    yield MISSING
    for number in numbers:
        yield from ("x" * length for length in (int(number), int(number) + 1, int(number) - 1) if 0 <= length < 300)


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, str | int | float):
        yield value
    elif isinstance(value, Sequence | frozenset):
        for each in value:
            yield from _values(each)


def _near(numbers: Sequence[float]) -> Iterator[float | int]:
    """The numbers themselves, between them, and beyond both ends."""
    for number in numbers:
        yield from map(_short, (number, number + 1, number - 1))
    for one, other in pairwise(numbers):
        yield _short(one + (other - one) / 2)
    for number in numbers:
        beside = (math.nextafter(number, math.inf), math.nextafter(number, -math.inf))
        yield from (_short(each) for each in beside if math.isfinite(each))


def _short(number: float) -> float | int:
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _joined(conditions: Sequence[Condition]) -> Iterator[str]:
    """One text that begins, holds and ends as several conditions want it."""
    begin, middle, end = "", [], ""
    for condition in conditions:
        value = condition.value
        if not isinstance(value, str):
            continue
        if condition.verb == "starts_with":
            begin = max(begin, value, key=len)
        elif condition.verb == "ends_with":
            end = max(end, value, key=len)
        elif condition.verb == "contains":
            middle.append(value)
    if begin or middle or end:
        for between in ("", " ", *_LETTERS):
            text = between.join((begin, *middle, end))
            if len(text) <= _LONGEST:
                yield text


def _filled(texts: Sequence[str]) -> Iterator[str]:
    """A pattern with something in the place of its stars."""
    for text in texts:
        if "*" in text or "?" in text:
            yield text.replace("*", "").replace("?", "x")
            yield text.replace("*", "x").replace("?", "x")


def _foreign(texts: Sequence[str]) -> Iterator[str]:
    """Texts of which none of the others is a part, where one letter is free."""
    if not texts:
        return
    used = set("".join(texts))
    free = [letter for letter in (*_LETTERS, "~", "ä") if letter not in used]
    if free:
        yield free[0]
    if all(texts):
        yield ""
