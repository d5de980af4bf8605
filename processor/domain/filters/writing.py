"""A tree back to strict text: what to write instead of a filter that only Segment's reading accepts."""

import math
from dataclasses import replace
from decimal import Decimal

from processor.domain.filters.strict import parse_strict
from processor.domain.filters.tree import Condition, Group, Node, Verb
from processor.errors import FilterSyntaxError

__all__ = ["same_reading", "strict_text"]

_COMPARISONS: dict[Verb, str] = {
    "equals": "=",
    "not_equals": "!=",
    "number_equals": "=",
    "number_not_equals": "!=",
    "less": "<",
    "at_most": "<=",
    "greater": ">",
    "at_least": ">=",
}
_TESTS: dict[Verb, str] = {"exists": "!= null", "not_exists": "= null", "is_true": "= true", "is_false": "= false"}
_FUNCTIONS: dict[Verb, str] = {
    "contains": 'contains({}, "{}")',
    "not_contains": '!contains({}, "{}")',
    "starts_with": 'match({}, "{}*")',
    "not_starts_with": '!match({}, "{}*")',
    "ends_with": 'match({}, "*{}")',
    "not_ends_with": '!match({}, "*{}")',
}
_GLOBS: dict[Verb, str] = {"glob": 'glob({}, "{}")', "not_glob": '!glob({}, "{}")'}
_LISTS: dict[Verb, str] = {
    "in": "{0} in [{1}]",
    "not_in": "!({0} in [{1}])",
    "includes": "{1} in {0}",
    "not_includes": "!({1} in {0})",
}
_ANY_END: dict[Verb, Verb] = {"ends_with": "starts_with", "not_ends_with": "not_starts_with"}
"""With an empty text both ends ask the same, whether there is a text at all; strict reads ``"*"`` as a prefix."""
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_LATER = _FIRST | frozenset("0123456789-")
_KEYWORDS = frozenset({"and", "or", "null"})
_LONGEST_INDEX = 9
"""Digits of an index that strict reads in brackets."""


def strict_text(node: Node) -> str | None:
    """A strict text that strict reads as this very tree; ``None`` where strict cannot say it.

    That is so for ``Broken`` and ``never``, for a text with a double quote, a boolean test or an order of ``userId``,
    and whatever else strict refuses on purpose: what is written is read again before it is given out.
    """
    wanted = _plain(node)
    text = None if wanted is None else _written(wanted, inside=False)
    if text is None:
        return None
    try:
        read = parse_strict(text)
    except FilterSyntaxError:
        return None
    return text if _plain(read) == wanted else None


def same_reading(one: Node, other: Node) -> bool:
    """Whether two trees ask the same in the same order, wherever in a text they stand."""
    plain = _plain(one)
    return plain is not None and plain == _plain(other)


def _plain(node: Node) -> Node | None:
    """The tree without places and groups of one; ``None`` for a tree with ``Broken`` in it."""
    if isinstance(node, Condition):
        verb = _ANY_END.get(node.verb, node.verb) if node.value == "" else node.verb
        return replace(node, verb=verb, start=0, end=0)
    if not isinstance(node, Group):
        return None
    children = [_plain(child) for child in node.children]
    known = tuple(child for child in children if child is not None)
    if not known or len(known) < len(children):
        return None
    return known[0] if len(known) == 1 else Group(node.joiner, known)


def _written(node: Node, *, inside: bool) -> str | None:
    if isinstance(node, Condition):
        return _condition(node)
    if not isinstance(node, Group):
        return None
    parts = []
    for place, child in enumerate(node.children, 1):
        text = _written(child, inside=True)
        if text is None:
            return None
        # Within a group strict wants a function last; a group of its own is another way.
        early = inside and place < len(node.children) and isinstance(child, Condition) and _ends_group(child)
        parts.append(f"({text})" if early or isinstance(child, Group) else text)
    return f" {node.joiner} ".join(parts)


def _ends_group(node: Condition) -> bool:
    return node.verb in _FUNCTIONS and node.function is None


def _condition(node: Condition) -> str | None:
    subject = _field(node) if node.function is None else f"{node.function}({_field(node)})"
    if node.verb in _TESTS:
        return f"{subject} {_TESTS[node.verb]}"
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    literals = [literal for value in values if (literal := _literal(value)) is not None]
    if not literals or len(literals) < len(values):
        return None
    if node.verb in _LISTS:
        return _LISTS[node.verb].format(subject, ", ".join(literals))
    functions = _FUNCTIONS | _GLOBS
    if node.verb in functions and isinstance(node.value, str):
        return functions[node.verb].format(subject, node.value)
    return f"{subject} {_COMPARISONS[node.verb]} {literals[0]}" if node.verb in _COMPARISONS else None


def _literal(value: str | float | None) -> str | None:
    if isinstance(value, str):
        return f'"{value}"' if _sayable(value) else None
    return _digits(value) if isinstance(value, float) and math.isfinite(value) else None


def _sayable(text: str) -> bool:
    """A text has no escapes, so a quote ends it; half a character is none that could be shown or stored."""
    return '"' not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _digits(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"


def _field(node: Condition) -> str:
    text: str = node.root
    for place, part in enumerate(node.path):
        index = part.isascii() and part.isdecimal() and len(part) <= _LONGEST_INDEX and part == str(int(part))
        text += f"\\[{part}\\]" if place and index else f".{_name(part)}"
    return text


def _name(part: str) -> str:
    """One name of a path, a backslash before whatever would not be read as part of it."""
    if part in _KEYWORDS:
        return f"\\{part}"
    return "".join(char if char in (_LATER if place else _FIRST) else f"\\{char}" for place, char in enumerate(part))
