"""``@case``: a text in lower or upper case; other values stay as they are."""

from typing import Any

from processor.domain.mappings.allowance import CHARS
from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, fail
from processor.domain.mappings.javascript import MISSING, truthy
from processor.domain.mappings.paths import Resolve

__all__ = ["CASE"]

_CHANGES = {"lower": str.lower, "upper": str.upper}


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value, "operator", "value"):
        return
    if "operator" in value:
        checker.at("operator").plain_text(value["operator"])
    if "value" in value:
        checker.at("value").text(value["value"])
    if checker.document and str(value.get("operator")) not in _CHANGES:
        checker.at("operator").fault("write lower or upper")


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not truthy(value.get("operator")):
        return builder.failing("@case needs an operator, lower or upper")
    if not truthy(value.get("value")):
        return Constant(MISSING)
    operator = value["operator"]
    change = _CHANGES.get(operator) if isinstance(operator, str) else None
    read = builder.build(value["value"])
    allowance = builder.allowance()

    def changed(event: Any) -> Any:
        text = read(event)
        if type(text) is not str:
            return text
        allowance.spend(len(text) >> CHARS)
        return change(text) if change is not None else fail("@case needs lower or upper")

    return changed


CASE = Directive(_check, _build)
