"""``@arrayPath``: a list of the event, each item mapped by a shape of its own."""

from typing import Any

from processor.domain.mappings.allowance import CHARS
from processor.domain.mappings.contract import Builder, Checker, Directive
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.paths import Resolve, reader, without_prefix

__all__ = ["ARRAY_PATH"]


def _check(value: Any, checker: Checker) -> None:
    if not isinstance(value, list) or not value:
        checker.fault("write a list of a path and, if you like, the shape of an item")
        return
    checker.at("0").text(value[0])
    if checker.document and value[0] == "$":
        checker.at("0").fault("`$` alone gives nothing; write `$.` for the whole event")
    if len(value) > 1:
        checker.at("1").anything(value[1])


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, list):
        return builder.failing("@arrayPath needs a list")
    path = value[0] if value else MISSING
    read = (
        reader(without_prefix(path), sure=builder.sure) if isinstance(path, str) else builder.build({"@literal": path})
    )
    shape = value[1] if len(value) > 1 else None
    if not isinstance(shape, dict) or not shape:
        return read
    item = builder.inner(shape)
    keep = builder.keep
    allowance, price = builder.allowance(), _parts(shape)

    def mapped(event: Any) -> Any:
        root = read(event)
        if type(root) is dict:
            root = [root]
        elif type(root) is not list:
            return root
        allowance.spend(len(root) * price)
        made = [item(each) for each in root]
        return made if keep else [None if each is MISSING else each for each in made]

    return mapped


def _parts(shape: Any) -> int:
    """Steps that a shape takes for one item: its parts, and what its texts hold."""
    if isinstance(shape, dict):
        return 1 + sum(map(_parts, shape.values()))
    if isinstance(shape, list):
        return 1 + sum(map(_parts, shape))
    return 1 + (len(shape) >> CHARS if isinstance(shape, str) else 0)


ARRAY_PATH = Directive(_check, _build)
