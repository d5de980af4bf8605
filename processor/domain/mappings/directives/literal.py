"""``@literal``: a value as it stands, in which directives are still resolved."""

from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Directive
from processor.domain.mappings.paths import Resolve

__all__ = ["LITERAL"]


def _check(value: Any, checker: Checker) -> None:
    checker.raw(value)


def _build(value: Any, builder: Builder) -> Resolve:
    return builder.build(value)


LITERAL = Directive(_check, _build)
