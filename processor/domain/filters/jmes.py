"""A JMESPath expression as a filter."""

from typing import Any

from processor.domain.filters.tree import Matches
from processor.domain.jmes import EvaluationError, compile_expression

__all__ = ["compile_jmespath"]


def compile_jmespath(text: str) -> Matches:
    """Whether the expression gives a true value, in JMESPath's sense (0 is true; empty text, list, object are not).

    A function on values of the wrong type is no match, nor is an event that asks for too many steps.
    Raises ``FilterSyntaxError``.
    """
    evaluate = compile_expression(text)

    def matches(event: Any) -> bool:
        try:
            found = evaluate(event)
        except EvaluationError:
            return False
        return not (found is None or found is False or (found != 0 and not found))

    return matches
