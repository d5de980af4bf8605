"""A filter taken apart: every clause of it beside its verdict."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from processor.domain.filters import Condition, Filter, Group, Node, strict_text, verdict

__all__ = ["Clause", "explain"]

_NOT_READ = "(nothing that Segment can read: where it gets here, the whole filter does not match)"


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition as it was written, or a group of them."""

    text: str
    holds: bool
    """By itself, whatever stands around it."""
    joiner: Literal["and", "or"] | None = None
    """Of a group: whether all of its clauses have to hold, or one."""
    clauses: tuple["Clause", ...] = ()
    reading: str = ""
    """Where Segment reads the text otherwise than it is written: that reading, as a strict filter or in words."""


def explain(filter: Filter, event: Any) -> Clause:  # noqa: A002 - the word of the field
    """The clauses as a tree. A filter without parts of its own, JMESPath or ``always``, is one clause."""
    if filter.tree is None:
        return Clause(filter.text, filter.matches(event))
    return replace(_clause(filter, filter.tree, event), text=filter.text)


def _clause(filter: Filter, node: Node, event: Any) -> Clause:  # noqa: A002
    holds = verdict(node, event)
    if isinstance(node, Group):
        clauses = tuple(_clause(filter, child, event) for child in node.children)
        texts = [clause.text if clause.joiner is None else f"({clause.text})" for clause in clauses]
        return Clause(f" {node.joiner} ".join(texts), holds, node.joiner, clauses)
    text = filter.text[node.start : node.end] or _NOT_READ
    return Clause(text, holds, reading=_reading(node, text) if filter.kind == "segment" else "")


def _reading(node: Node, text: str) -> str:
    """What Segment takes the condition for; empty where that is what is written."""
    strict = strict_text(node)
    if strict is not None:
        return "" if "".join(strict.split()) == "".join(text.split()) else strict
    if not isinstance(node, Condition):
        return ""
    value = "" if node.value is None else f' "{node.value}"'
    return f"{'.'.join((node.root, *node.path))} {node.verb.replace('_', ' ')}{value}"
