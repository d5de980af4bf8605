"""``@path``: the value at a path of the event."""

from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, fail
from processor.domain.mappings.javascript import get
from processor.domain.mappings.paths import Resolve, path_parts, reader, without_prefix

__all__ = ["PATH"]


def _check(value: Any, checker: Checker) -> None:
    checker.text(value)
    if checker.document and value == "$":
        checker.fault("`$` alone gives nothing; write `$.` for the whole event")


def _build(value: Any, builder: Builder) -> Resolve:
    path = builder.build(value)
    if isinstance(path, Constant):
        if isinstance(path.value, str):
            return reader(without_prefix(path.value), sure=builder.sure)
        return builder.failing("@path needs a text")

    def read(event: Any) -> Any:
        text = path(event)
        if type(text) is not str:
            fail("@path needs a text")
        return get(event, path_parts(without_prefix(text)))

    return read


PATH = Directive(_check, _build)
