"""``@transform``: a mapping of what another mapping, ``apply``, gives."""

from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Directive, fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.paths import Resolve

__all__ = ["TRANSFORM"]


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value):
        return
    for key in ("apply", "mapping"):
        if not isinstance(value.get(key), dict):
            checker.at(key).fault("write an object or a directive here")


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not isinstance(value.get("apply"), dict) or not value.get("mapping", True):
        return builder.failing("@transform needs the objects apply and mapping")
    if "mapping" not in value:
        return builder.failing("@transform needs a mapping")
    refused = builder.refused(value["apply"])
    if refused is not None:
        return builder.failing(f"@transform cannot apply this: {refused}")
    apply = builder.build(value["apply"])
    mapping = builder.inner(value["mapping"])

    def transformed(event: Any) -> Any:
        if event is MISSING:
            event = {}
        elif type(event) is not dict:
            fail("@transform needs an object to work on")
        return mapping(apply(event))

    return builder.cleaned(transformed)


TRANSFORM = Directive(_check, _build)
