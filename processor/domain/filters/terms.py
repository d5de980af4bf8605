"""One condition of a strict filter: what is refused in it, and what it becomes."""

import re

from processor.domain.filters.fields import TEXTS, checked_field, refused, unknown_word
from processor.domain.filters.lexer import Token
from processor.domain.filters.tree import Condition, Node, Verb
from processor.domain.filters.words import OPERATORS, ROOTS, comparison, field_of

__all__ = ["comparison_term", "function_term"]

_AFTER_DOT = "write a name after the dot: a backslash before and, or, null, and `items\\[0\\]` for an index"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_WORDS = frozenset({"true", "false", "null"})
_ORDERS = frozenset({"<", "<=", ">", ">="})
_GLOB = frozenset("*?[]{}\\")
_NEGATED: dict[str, Verb] = {"contains": "not_contains", "starts_with": "not_starts_with", "ends_with": "not_ends_with"}


def comparison_term(text: str, field: Token, operator: Token, value: Token) -> Node:
    """``field operator value``."""
    if operator.kind == "dot":
        raise refused(operator, _AFTER_DOT)
    root = checked_field(text, field)
    if operator.kind != "operator" or operator.value not in OPERATORS:
        raise refused(operator, "write one of = != < <= > >= after the field")
    if value.kind == "operator":
        raise refused(value, "write one of = != < <= > >=, with a space behind it")
    _check_value(root, operator, value)
    _check_text(value)
    return _whole(field_of(root, field.value, comparison(root, operator.value, value), (field.start, value.end)), field)


def function_term(text: str, place: tuple[Token, Token, Token], field: Token, value: Token) -> Node:
    """``contains(field, "text")`` or ``match(field, "pattern")``; ``place`` is its first token, name and ``)``."""
    first, name, closing = place
    if field.kind != "ident" or field.value.partition(".")[0] not in ROOTS:
        message = unknown_word(field.value) if field.kind == "ident" else "write a field here, without quotes"
        raise refused(field, message)
    root = checked_field(text, field)
    if root == "type":
        raise refused(field, f'Segment drops {name.value}() on type; write `type = "…"`')
    if value.kind != "string":
        raise refused(value, "write the text in double quotes")
    _check_text(value)
    wanted = value.value[1:-1]
    verb: Verb = "contains"
    if name.value == "match":
        verb, wanted = _pattern(value, wanted)
    if first.value == "!":
        verb = _NEGATED[verb]
    return _whole(field_of(root, field.value, (verb, wanted), (first.start, closing.end)), field)


def _whole(node: Node, field: Token) -> Condition:
    if isinstance(node, Condition):
        return node
    raise refused(field, "this path has no names in it")


def _check_value(root: str, operator: Token, value: Token) -> None:
    if value.kind == "ident" and value.value not in ("true", "false"):
        lower = value.value.lower()
        raise refused(
            value, f"write `{lower}`" if lower in ("true", "false", "null") else "write the text in double quotes"
        )
    if value.kind not in ("string", "number", "null", "ident"):
        raise refused(value, "write a value: a text in double quotes, a number, true, false or null")
    if value.kind == "number" and not _NUMBER.fullmatch(value.value):
        raise refused(value, "write the number in digits, for example 0.5")
    if root in TEXTS:
        _check_text_field(root, operator, value)
    elif operator.value in _ORDERS and value.kind != "number":
        raise refused(value, f"`{operator.value}` compares numbers; write one without quotes")
    elif operator.value == "!=" and value.kind == "ident":
        other = "false" if value.value == "true" else "true"
        raise refused(value, f"Segment finds `!= {value.value}` true for every value; write `= {other}`")


def _check_text_field(root: str, operator: Token, value: Token) -> None:
    if operator.value in _ORDERS:
        raise refused(operator, f"`{root}` is a text; write = or !=")
    if value.kind == "null" and root in ("type", "event"):
        raise refused(value, f'Segment compares {root} with the text "null"; name the values you mean, with = or !=')
    if value.kind in ("number", "ident"):
        raise refused(value, f'`{root}` is a text; write "{value.value}" in double quotes')


def _check_text(value: Token) -> None:
    if value.kind != "string":
        return
    if value.value[0] == "'":
        raise refused(value, "write double quotes; Segment takes single quotes for part of the text")
    if "\\\\" in value.value or value.value[-2:-1] == "\\":
        raise refused(value, "a text has no escapes, a backslash is a character of it; use {segment: …} if meant so")


def _pattern(value: Token, pattern: str) -> tuple[Verb, str]:
    """A pattern with one star at one end, which is all that Segment reads as a glob would."""
    if pattern.endswith("*") and not _GLOB & set(pattern[:-1]):
        return "starts_with", pattern[:-1]
    if pattern.startswith("*") and not _GLOB & set(pattern[1:]):
        return "ends_with", pattern[1:]
    bare = pattern.strip("*")
    raise refused(
        value,
        'Segment knows only one star, at one end: "abc*" or "*abc"; '
        + (f'write = "{pattern}"' if bare == pattern and not _GLOB & set(bare) else f'use contains(…, "{bare}")'),
    )
