"""Tokens to words and values: joining ``a.b.c`` into one name, and what a value token stands for."""

import re

from processor.domain.filters.lexer import Token
from processor.domain.filters.tree import Broken, Condition, Node, Root, Value, Verb
from processor.domain.mappings.javascript import number_of, printed

__all__ = ["FUNCTIONS", "OPERATORS", "ROOTS", "comparison", "field_of", "joined", "token_value"]

ROOTS: dict[str, Root] = {
    "type": "type",
    "event": "event",
    "name": "name",
    "userId": "userId",
    "properties": "properties",
    "traits": "traits",
    "context": "context",
}
FUNCTIONS = frozenset({"contains", "match"})
OPERATORS: dict[str, Verb] = {
    "=": "equals",
    "!=": "not_equals",
    "<": "less",
    "<=": "at_most",
    ">": "greater",
    ">=": "at_least",
}
_WITHOUT_VALUE: tuple[Verb, ...] = ("exists", "not_exists", "is_true", "is_false")
_TEXTUAL: tuple[Verb, ...] = (
    "contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with",
)  # fmt: skip
_NUMERIC: tuple[Verb, ...] = ("less", "at_most", "greater", "at_least", "number_equals", "number_not_equals")
_NAMED: dict[str, Verb] = {verb: verb for verb in (*_WITHOUT_VALUE, *_TEXTUAL, *_NUMERIC[-2:])}
"""Words that Segment's runtime knows as operators, so that it takes ``event contains "x"`` for what it says."""
_PATH_PARTS = re.compile(r"[^\[.\]]+")


def joined(tokens: list[Token]) -> list[Token]:
    """The tokens with each run of ident, dot, ident made one ident."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "dot" and out and out[-1].kind == "ident" and tokens[at + 1].kind == "ident":
            last = tokens[at + 1]
            out[-1] = Token("ident", f"{out[-1].value}.{last.value}", out[-1].start, last.end)
            at += 2
        else:
            out.append(token)
            at += 1
    return out


def token_value(token: Token) -> str | float | bool:
    """A token as a value. Only double quotes are taken off a string."""
    if token.kind == "string":
        return token.value[1:-1] if token.value[0] == '"' else token.value
    if token.kind == "number":
        return number_of(token.value)
    if token.kind == "ident" and token.value in ("true", "false"):
        return token.value == "true"
    return token.value


def field_of(root: Root, written: str, test: tuple[Verb, Value], span: tuple[int, int]) -> Node:
    """The condition ``test`` on the field that ``written`` names; ``properties`` alone is properties.properties."""
    path: tuple[str, ...] = ()
    if root in ("properties", "traits", "context"):
        path = tuple(_PATH_PARTS.findall(written.removeprefix(f"{root}.")))
        if not path:
            return Broken(*span)
    return Condition(root, path, *test, *span)


def comparison(root: Root, operator: str, token: Token) -> tuple[Verb, str | float | None]:
    """What ``operator`` and a value mean for a field under ``root``."""
    value = token_value(token)
    if root not in ("type", "event"):
        if token.value == "null" and operator in ("=", "!="):
            return ("not_exists" if operator == "=" else "exists"), None
        if root != "name" and operator == "=" and token.value in ("true", "false"):
            return ("is_true" if token.value == "true" else "is_false"), None
    verb = OPERATORS.get(operator) or _NAMED.get(operator, "never")
    if verb in _WITHOUT_VALUE:
        return verb, None
    deep = root in ("properties", "traits", "context")
    if verb in _NUMERIC:
        return verb, number_of(value if deep else printed(value))
    if deep and type(value) is float and verb in ("equals", "not_equals"):
        return ("number_equals" if verb == "equals" else "number_not_equals"), value
    return verb, printed(value)
