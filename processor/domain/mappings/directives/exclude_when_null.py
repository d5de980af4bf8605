"""``@excludeWhenNull``: a value without the nulls in its objects; arrays are not looked into."""

from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Directive, Payable, fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.paths import Resolve

__all__ = ["EXCLUDE_WHEN_NULL"]

_DEEPEST = 256
"""Levels of objects within each other; an event that has more is rejected."""


def _check(value: Any, checker: Checker) -> None:
    checker.raw(value)


def _build(value: Any, builder: Builder) -> Resolve:
    read = builder.build(value)
    allowance = builder.allowance()
    return lambda event: _without_nulls(read(event), 0, allowance)


def _without_nulls(value: Any, depth: int, allowance: Payable) -> Any:
    if value is None:
        return MISSING
    if type(value) is not dict:
        return value
    if depth == _DEEPEST:
        fail(f"@excludeWhenNull looks into at most {_DEEPEST} levels")
    allowance.spend(len(value))
    return {
        key: _without_nulls(item, depth + 1, allowance) if type(item) is dict else item
        for key, item in value.items()
        if item is not None
    }


EXCLUDE_WHEN_NULL = Directive(_check, _build)
