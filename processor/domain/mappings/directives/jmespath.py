"""``@jmespath``: the value of a JMESPath expression over the event. Ours, not Segment's."""

from collections.abc import Callable
from typing import Any

from processor.domain.mappings.allowance import Allowance
from processor.domain.mappings.contract import Builder, Checker, Directive, Payable, fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.paths import Resolve
from processor.errors import FilterSyntaxError

__all__ = ["JMESPATH"]


def _check(value: Any, checker: Checker) -> None:
    if not isinstance(value, str):
        checker.plain_text(value)
        return
    compiled = _compiled(value, Allowance())
    if isinstance(compiled, str):
        checker.fault(compiled)


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, str):
        return builder.failing("@jmespath needs a text")
    compiled = _compiled(value, builder.allowance())
    return builder.failing(compiled) if isinstance(compiled, str) else compiled


def _compiled(text: str, allowance: Payable) -> Callable[[Any], Any] | str:
    """The function, or what is wrong with the expression and where. Only here JMESPath is loaded."""
    from processor.domain.jmes import EvaluationError, compile_expression

    try:
        evaluate = compile_expression(text, allowance)
    except FilterSyntaxError as error:
        return str(error)

    def read(event: Any) -> Any:
        try:
            found = evaluate(event)
        except EvaluationError as error:
            fail(str(error))
        return MISSING if found is None else found

    return read


JMESPATH = Directive(_check, _build)
