"""A JMESPath expression as a filter."""

from typing import Any

import jmespath
from jmespath.functions import Functions

from processor.domain.filters.tree import Matches
from processor.errors import FilterSyntaxError

__all__ = ["compile_jmespath"]

_DEEPEST = 64
"""Levels of an expression: the library recurses once a level, when it reads and when it runs."""
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def compile_jmespath(text: str) -> Matches:
    """Whether the expression gives a true value, in JMESPath's sense (0 is true; empty text, list, object are not).

    A function on values of the wrong type is no match. Raises ``FilterSyntaxError``.
    """
    _refuse_depth(text)
    try:
        compiled = jmespath.compile(text)
    except Exception as error:
        position = getattr(error, "lex_position", None) or getattr(error, "lexer_position", None) or 0
        reason = str(error).splitlines()[0].rstrip(":")
        raise FilterSyntaxError(f"this is no JMESPath expression: {reason}", int(position)) from error
    _refuse_unknown_functions(compiled.parsed, text)
    search = compiled.search

    def matches(event: Any) -> bool:
        try:
            found = search(event)
        except Exception:  # noqa: BLE001 - wrong types, arity and whatever else the data brings: no match
            return False
        return not (found is None or found is False or (found != 0 and not found))

    return matches


def _refuse_depth(text: str) -> None:
    depth = 0
    for position, char in enumerate(text):
        if char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        if depth > _DEEPEST:
            raise FilterSyntaxError(f"at most {_DEEPEST} levels of brackets", position)


def _refuse_unknown_functions(tree: dict[str, Any], text: str) -> None:
    pending: list[tuple[Any, int]] = [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        if not isinstance(node, dict):
            continue
        if depth > 4 * _DEEPEST:
            raise FilterSyntaxError(f"this expression has more than {4 * _DEEPEST} levels; split it", 0)
        if node.get("type") == "function_expression" and node["value"] not in Functions.FUNCTION_TABLE:
            name = str(node["value"])
            raise FilterSyntaxError(f"JMESPath has no function {name}()", max(text.find(name), 0))
        pending.extend((child, depth + 1) for child in node.get("children", ()))
