"""What a value weighs, in steps: the price of walking, copying or printing all of it."""

from collections.abc import Callable
from typing import Any, Final

__all__ = ["CHARS", "weigh"]

CHARS: Final = 5
"""A step covers 2 to this power characters that are copied or read; a member of a list or object is one."""


def weigh(value: Any, spend: Callable[[int], None]) -> None:
    """Spend for every part of ``value``: parts that it holds many times count as often. Ends when ``spend`` raises."""
    pending = [value]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is str:
            spend(len(item) >> CHARS)
        elif kind is list:
            spend(len(item))
            pending.extend(item)
        elif kind is dict:
            spend(len(item) + (sum(map(len, item)) >> CHARS))
            pending.extend(item.values())
