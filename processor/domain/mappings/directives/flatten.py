"""``@flatten``: one object of joined keys, made of nested ones."""

from typing import Any

from processor.domain.mappings.allowance import CHARS
from processor.domain.mappings.contract import Builder, Checker, Directive, Payable, fail
from processor.domain.mappings.javascript import MISSING, members, truthy
from processor.domain.mappings.paths import Resolve

__all__ = ["FLATTEN"]


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value, "separator"):
        return
    if "separator" in value:
        checker.at("separator").plain_text(value["separator"], int(checker.document))
    elif checker.document:
        checker.fault("write the `separator` to join keys with")
    if "value" not in value:
        checker.fault("write the `value` to flatten")


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not truthy(value.get("separator")):
        return builder.failing("@flatten needs a separator")
    separator = builder.build(value["separator"])
    read = builder.kept({"@literal": value.get("value", MISSING)})
    omit = truthy(value.get("omitArrays"))
    allowance = builder.allowance()

    def flattened(event: Any) -> Any:
        joint = separator(event)
        if type(joint) is not str:
            fail("@flatten needs a text as separator")
        return _flat(read(event), joint, allowance, omit_arrays=omit)

    return builder.cleaned(flattened)


def _flat(value: Any, separator: str, allowance: Payable, *, omit_arrays: bool) -> dict[str, Any]:
    out: dict[str, Any] = {}
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        prefix, item = pending.pop()
        if type(item) is dict:
            inner = list(members(item))
        elif type(item) is list and not omit_arrays:
            inner = [(str(index), each) for index, each in enumerate(item)]
        else:
            out[prefix] = item
            continue
        allowance.spend(len(inner) * (1 + ((len(prefix) + len(separator)) >> CHARS)))
        pending += [(f"{prefix}{separator}{key}" if prefix else key, each) for key, each in reversed(inner)]
    return out


FLATTEN = Directive(_check, _build)
