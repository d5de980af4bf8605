"""``@if``: ``then`` or ``else``, by whether a value ``exists`` or, ``blank``, whether it is not blank."""

import json
from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, Payable
from processor.domain.mappings.javascript import MISSING, printed, truthy
from processor.domain.mappings.paths import Resolve

__all__ = ["IF"]

_NOTHING = Constant(MISSING)


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value):
        return
    if checker.document and not truthy(value.get("exists")) and not truthy(value.get("blank")):
        checker.fault("write the value to look at, as `exists` or as `blank`")


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not (truthy(value.get("exists")) or truthy(value.get("blank"))):
        return builder.failing("@if needs `exists` or `blank`")
    then = builder.build(value["then"]) if "then" in value else _NOTHING
    other = builder.build(value["else"]) if truthy(value.get("else")) else _NOTHING
    if "exists" not in value:
        return _unless_blank(builder.build(value["blank"]), then, other, builder.allowance())
    if "then" in value and _written(value["exists"]) == _written(value["then"]):
        return _value_or(then, other)
    return _if_exists(builder.build(value["exists"]), then, other)


def _written(value: Any) -> str:
    """Two values that are written alike give the same for every event: true is not 1, nor 1 the same as 1.0."""
    return json.dumps(value, sort_keys=True)


def _value_or(read: Resolve, other: Resolve) -> Resolve:
    """The commonest form of all: a value where it exists, else something else; it is worked out once."""
    if isinstance(other, Constant):
        constant = other.value

        def or_constant(event: Any) -> Any:
            value = read(event)
            return constant if value is None or value is MISSING else value

        return or_constant

    def or_other(event: Any) -> Any:
        value = read(event)
        return other(event) if value is None or value is MISSING else value

    return or_other


def _if_exists(read: Resolve, then: Resolve, other: Resolve) -> Resolve:
    def choose(event: Any) -> Any:
        value = read(event)
        return other(event) if value is None or value is MISSING else then(event)

    return choose


def _unless_blank(read: Resolve, then: Resolve, other: Resolve, allowance: Payable) -> Resolve:
    return lambda event: other(event) if _blank(read(event), allowance) else then(event)


def _blank(value: Any, allowance: Payable) -> bool:
    """Null, missing, and whatever JavaScript finds loosely equal to an empty text."""
    kind = type(value)
    if kind is list:
        allowance.weigh(value)
        return printed(value) == ""
    return kind is not dict and not value


IF = Directive(_check, _build)
