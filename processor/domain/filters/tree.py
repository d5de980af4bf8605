"""What a filter says, as a tree: read by the compiler, by ``selectors`` and by whoever explains a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Broken", "Condition", "Filter", "Function", "Group", "Kind", "Matches", "Node", "Root", "Value", "Verb"]

Matches = Callable[[Any], bool]
"""Event to verdict. Never raises, whatever JSON it is given, and never changes it."""

Kind = Literal["strict", "segment", "jmespath", "always"]
Root = Literal["type", "event", "name", "userId", "properties", "traits", "context"]
Function = Literal["length", "lowercase", "typeof"]
Value = str | float | tuple[str | float, ...] | None

Verb = Literal[
    "equals",
    "not_equals",
    "number_equals",
    "number_not_equals",
    "less",
    "at_most",
    "greater",
    "at_least",
    "exists",
    "not_exists",
    "is_true",
    "is_false",
    "contains",
    "not_contains",
    "starts_with",
    "not_starts_with",
    "ends_with",
    "not_ends_with",
    "glob",
    "not_glob",
    "in",
    "not_in",
    "includes",
    "not_includes",
    "never",
]
"""``equals`` and ``not_equals`` compare texts, the four orders and ``number_…`` want a real number, the negated
text tests are false unless the value is a text. ``in``: the value is one of several; ``includes``: it is a list that
holds one; ``not_in`` and ``not_includes`` are their opposites. ``never``: Segment knows no such operator."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one field, or of what ``function`` makes of it. ``start`` and ``end`` are its place in the text."""

    root: Root
    path: tuple[str, ...]
    verb: Verb
    value: Value = None
    start: int = 0
    end: int = 0
    function: Function | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where Segment's runtime throws while it reads an event: the whole filter does not match then."""

    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Several nodes, of which all (``and``) or one (``or``) must hold."""

    joiner: Literal["and", "or"]
    children: tuple["Node", ...]
    start: int = 0
    end: int = 0


Node = Condition | Group | Broken


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, read and compiled. ``tree`` is ``None`` for ``jmespath`` and ``always``."""

    text: str
    kind: Kind
    tree: Node | None
    matches: Matches
