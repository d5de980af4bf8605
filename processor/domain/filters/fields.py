"""What a strict condition asks about: a field whose path Segment reads as it is written, or a function of one."""

import re
from dataclasses import dataclass, replace

from processor.domain.filters.functions import VALUE_FUNCTIONS
from processor.domain.filters.lexer import Token
from processor.domain.filters.tree import Condition, Function, Root, Value, Verb
from processor.domain.filters.words import FUNCTIONS, ROOTS, field_of
from processor.errors import FilterSyntaxError

__all__ = ["TESTS", "TEXTS", "Subject", "checked_field", "condition", "refused", "unknown_word"]

TEXTS = ("type", "event", "name", "userId")
TESTS = FUNCTIONS | {"glob"}
_KNOWN = (*ROOTS, *sorted(TESTS), *VALUE_FUNCTIONS)
_UNREAD = frozenset({"uppercase", "snakecase", "kebabcase", "titlecase", "bool", "string", "number"})
"""Functions of Segment's destination filters that there are not here."""
_BRACKET = re.compile(r"\\\[(?:[0-9]|[1-9][0-9]{1,8})\\\]")
_AFTER_DOT = "write a name after the dot: a backslash before and, or, null, and `items\\[0\\]` for an index"


@dataclass(frozen=True, slots=True)
class Subject:
    """A field, or a function of it; ``start`` is where it begins in the text."""

    field: Token
    root: Root
    function: Function | None
    start: int


def refused(token: Token, message: str) -> FilterSyntaxError:
    """The refusal at this token, to be raised."""
    return FilterSyntaxError(message, token.start)


def unknown_word(word: str) -> str:
    """What to write instead of a word that names no field."""
    name = word.partition(".")[0]
    if name in TESTS or name in VALUE_FUNCTIONS:
        return f"write a field here; `{name}` is a function, which needs parentheses, and none stands within another"
    for known in _KNOWN:
        if name.lower() == known.lower():
            return f"write `{known}` with these letters; capitals count"
    if name == "not":
        return "Segment ignores `not`; write `!=`, `!` directly before contains(, match( or glob(, or `!(… in […])`"
    if name.lower() in ("and", "or"):
        return f"write `{name.lower()}` in small letters, between two conditions"
    if name in _UNREAD:
        return f"there is no {name}() here; use lowercase(, length( or typeof(, or write the filter as {{jmespath: …}}"
    return (
        f"`{name}` is no field that a filter can read, Segment drops it; use type, event, name, userId, properties.…, "
        "traits.… or context.…, or write the filter as {jmespath: …}"
    )


def checked_field(text: str, field: Token, following: Token) -> Root:
    """The root of a field whose path Segment reads as it is written; ``following`` is the token behind it."""
    if field.kind != "ident":
        raise refused(field, "write a field here, without quotes")
    name, dot, _ = field.value.partition(".")
    if name not in ROOTS:
        raise refused(field, unknown_word(field.value))
    if following.kind == "dot":
        raise refused(following, _AFTER_DOT)
    raw = text[field.start : field.end]
    root = ROOTS[name]
    if root in TEXTS and dot:
        raise refused(field, f"`{root}` is a text and has no parts; write `{root}`, or properties.…")
    if root not in TEXTS and not dot:
        raise refused(field, f"Segment reads `{root}` alone as `{root}.{root}`; name a field, as in `{root}.plan`")
    if "\\." in raw or ".." in field.value or field.value.endswith("."):
        raise refused(field, "a key that holds a dot is out of reach here; write the filter as {jmespath: …}")
    rest = _BRACKET.sub("", raw)
    if "\\[" in rest or "\\]" in rest:
        raise refused(field, "brackets hold an index, `items\\[0\\]`; for such a key write the filter as {jmespath: …}")
    return root


def condition(subject: Subject, test: tuple[Verb, Value], span: tuple[int, int]) -> Condition:
    """``test`` on what ``subject`` names."""
    node = field_of(subject.root, subject.field.value, test, span)
    if not isinstance(node, Condition):
        raise refused(subject.field, "this path has no names in it")
    return replace(node, function=subject.function)
