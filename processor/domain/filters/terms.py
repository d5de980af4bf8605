"""One condition of a strict filter: what is refused in it, and what it becomes."""

from processor.domain.filters.fields import TEXTS, Subject, condition, refused
from processor.domain.filters.globs import parse_glob
from processor.domain.filters.lexer import Token
from processor.domain.filters.literals import (
    check_lowercase,
    check_made,
    check_number,
    check_quotes,
    check_text,
    list_value,
)
from processor.domain.filters.tree import Condition, Verb
from processor.domain.filters.words import OPERATORS, comparison, token_value
from processor.errors import FilterSyntaxError

__all__ = ["choice_term", "comparison_term", "inclusion_term", "negated", "test_term"]

_ORDERS = frozenset({"<", "<=", ">", ">="})
_GLOB = frozenset("*?[]{}\\")
_NEGATED: dict[str, Verb] = {
    "contains": "not_contains",
    "starts_with": "not_starts_with",
    "ends_with": "not_ends_with",
    "glob": "not_glob",
    "in": "not_in",
    "includes": "not_includes",
}
_COUNTED: dict[Verb, Verb] = {"equals": "number_equals", "not_equals": "number_not_equals"}


def negated(verb: Verb) -> Verb:
    """The verb with a ``!`` before it."""
    return _NEGATED[verb]


def comparison_term(subject: Subject, operator: Token, value: Token) -> Condition:
    """``subject operator value``."""
    if operator.kind != "operator" or operator.value not in OPERATORS:
        raise refused(operator, _operator_hint(operator))
    if value.kind == "operator":
        raise refused(value, "write one of = != < <= > >=, with a space behind it")
    if value.kind == "brackleft":
        raise refused(operator, "a list stands behind `in`; write `in […]`")
    if subject.function is None:
        _check_value(subject.root, operator, value)
        check_text(value)
        test = comparison(subject.root, operator.value, value)
        return condition(subject, test, (subject.start, value.end))
    check_number(value)
    check_text(value)
    if subject.function != "length" and operator.value in _ORDERS:
        raise refused(operator, f"{subject.function}() gives a text; write = or !=")
    if subject.function == "lowercase" and value.kind == "null":
        raise refused(value, "null has no capitals; leave out lowercase()")
    check_made(subject, value)
    verb = OPERATORS[operator.value]
    if subject.function == "length":
        verb = _COUNTED.get(verb, verb)
    found = token_value(value)
    return condition(subject, (verb, found), (subject.start, value.end))


def choice_term(subject: Subject, values: list[Token], end: int) -> Condition:
    """``subject in [values]``."""
    return condition(subject, ("in", tuple(list_value(value, subject) for value in values)), (subject.start, end))


def inclusion_term(value: Token, subject: Subject) -> Condition:
    """``value in field``."""
    wanted = list_value(value, None)
    if subject.root in TEXTS:
        root = subject.root
        raise refused(subject.field, f'`{root}` is a text and no list; write `{root} = "…"` or contains({root}, "…")')
    return condition(subject, ("includes", wanted), (value.start, subject.field.end))


def test_term(place: tuple[Token, Token, Token], subject: Subject, value: Token) -> Condition:
    """``contains(subject, "text")`` and its like; ``place`` is its first token, its name and ``)``."""
    first, name, closing = place
    if subject.function not in (None, "lowercase"):
        raise refused(name, f"{name.value}() reads a text, and {subject.function}() is none to search; name a field")
    if subject.root == "type" and subject.function is None and name.value != "glob":
        raise refused(subject.field, f'Segment drops {name.value}() on type; write `type = "…"`')
    if value.kind != "string":
        raise refused(value, "write the text in double quotes")
    check_quotes(value)
    verb, wanted = _test(name.value, value)
    if subject.function == "lowercase":
        check_lowercase(value)
    if first.value == "!":
        verb = negated(verb)
    return condition(subject, (verb, wanted), (first.start, closing.end))


def _operator_hint(operator: Token) -> str:
    if operator.kind == "ident" and operator.value.lower() == "in":
        return "write `in` in small letters"
    if operator.kind == "ident" and operator.value.lower() == "not":
        return "Segment ignores `not`; write `!=`, or `!(… in […])`"
    return "write one of = != < <= > >= or `in` after the field"


def _check_value(root: str, operator: Token, value: Token) -> None:
    if value.kind == "ident" and value.value not in ("true", "false"):
        lower = value.value.lower()
        raise refused(
            value, f"write `{lower}`" if lower in ("true", "false", "null") else "write the text in double quotes"
        )
    if value.kind not in ("string", "number", "null", "ident"):
        raise refused(value, "write a value: a text in double quotes, a number, true, false or null")
    check_number(value)
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


def _test(name: str, value: Token) -> tuple[Verb, str]:
    text = value.value[1:-1]
    if name == "glob":
        parse_glob(text, value.start + 1)
        return "glob", text
    if name == "match":
        return _pattern(value, text)
    check_text(value)
    return "contains", text


def _pattern(value: Token, pattern: str) -> tuple[Verb, str]:
    """A pattern with one star at one end, which is all that Segment reads as a glob would."""
    if pattern.endswith("*") and not _GLOB & set(pattern[:-1]):
        return "starts_with", pattern[:-1]
    if pattern.startswith("*") and not _GLOB & set(pattern[1:]):
        return "ends_with", pattern[1:]
    bare = pattern[1:-1]
    if not _GLOB & set(pattern):
        simpler = f'write = "{pattern}", or '
    elif pattern == f"*{bare}*" and not _GLOB & set(bare):
        simpler = f'use contains(…, "{bare}"), or '
    else:
        simpler = "write "
    message = f'Segment knows only one star, at one end: "abc*" or "*abc"; {simpler}glob(…, "{_as_glob(pattern)}")'
    raise refused(value, message)


def _as_glob(pattern: str) -> str:
    try:
        return parse_glob(pattern).pattern
    except FilterSyntaxError:
        return "…"
