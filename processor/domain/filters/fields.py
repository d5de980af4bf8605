"""The fields of a strict filter: which there are, which path Segment reads as it is written, and how to refuse."""

import re

from processor.domain.filters.lexer import Token
from processor.domain.filters.tree import Root
from processor.domain.filters.words import ROOTS
from processor.errors import FilterSyntaxError

__all__ = ["TEXTS", "checked_field", "refused", "unknown_word"]

TEXTS = ("type", "event", "name", "userId")
_BRACKET = re.compile(r"\\\[(?:[0-9]|[1-9][0-9]{1,8})\\\]")


def refused(token: Token, message: str) -> FilterSyntaxError:
    """The refusal at this token, to be raised."""
    return FilterSyntaxError(message, token.start)


def unknown_word(word: str) -> str:
    """What to write instead of a word that names no field."""
    name = word.partition(".")[0]
    for known in (*ROOTS, "contains", "match"):
        if name.lower() == known.lower():
            return f"write `{known}` with these letters; capitals count"
    if name == "not":
        return "Segment ignores `not`; write `!=`, or `!` directly before contains( or match("
    if name.lower() in ("and", "or"):
        return f"write `{name.lower()}` in small letters, between two conditions"
    return (
        f"`{name}` is no field that a filter can read, Segment drops it; use type, event, name, userId, properties.…, "
        "traits.… or context.…, or write the filter as {jmespath: …}"
    )


def checked_field(text: str, field: Token) -> Root:
    """The root of a field whose path Segment reads as it is written."""
    raw = text[field.start : field.end]
    name, dot, _ = field.value.partition(".")
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
