"""``@json``: a value to JSON text, or JSON text to a value. What cannot be decoded stays as it is."""

from typing import Any

import orjson

from processor.domain.mappings.contract import Builder, Checker, Directive, fail
from processor.domain.mappings.javascript import MISSING, truthy
from processor.domain.mappings.json_text import json_text
from processor.domain.mappings.paths import Resolve

__all__ = ["JSON"]


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value, "mode", "value"):
        return
    mode = value.get("mode")
    if (mode if checker.document else str(mode).lower()) not in ("encode", "decode"):
        checker.at("mode").fault("write encode or decode")
    if "value" not in value or (checker.document and not truthy(value["value"])):
        checker.fault("write the `value` to encode or decode")
    checker.at("value").anything(value.get("value"))


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not truthy(value.get("mode")) or not truthy(value.get("value")):
        return builder.failing("@json needs a mode and a value")
    change = {"encode": _encoded, "decode": _decoded}.get(str(value["mode"]), _nothing)
    read = builder.build(value["value"])
    allowance = builder.allowance()

    def converted(event: Any) -> Any:
        found = read(event)
        allowance.weigh(found)
        return change(found)

    return converted


def _encoded(value: Any) -> Any:
    if value is MISSING:
        return MISSING
    try:
        return json_text(value)
    except ValueError as error:
        fail(str(error))


def _decoded(value: Any) -> Any:
    if type(value) is not str:
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def _nothing(_value: Any) -> Any:
    return MISSING


JSON = Directive(_check, _build)
