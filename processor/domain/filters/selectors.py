"""Which event types and event names a filter can match at all: the key of the rule index."""

from processor.domain.filters.tree import Condition, Filter, Group, Node

__all__ = ["selectors"]

_Names = frozenset[str] | None


def selectors(filter: Filter) -> tuple[_Names, _Names]:  # noqa: A002 - the word of the field
    """(types, names), ``None`` for any. Never too narrow: an event outside them cannot match, one inside may not."""
    if filter.tree is None:
        return None, None
    return _selected(filter.tree, "type"), _selected(filter.tree, "event")


def _selected(node: Node, root: str) -> _Names:
    if isinstance(node, Condition):
        return _named(node) if node.root == root and node.function is None else None
    if not isinstance(node, Group):
        return None
    found = [_selected(child, root) for child in node.children]
    if node.joiner == "and":
        known = [names for names in found if names is not None]
        return frozenset.intersection(*known) if known else None
    union: set[str] = set()
    for names in found:
        if names is None:
            return None
        union |= names
    return frozenset(union)


def _named(node: Condition) -> _Names:
    if node.verb == "equals" and isinstance(node.value, str):
        return frozenset((node.value,))
    if node.verb == "in" and isinstance(node.value, tuple):
        return frozenset(value for value in node.value if isinstance(value, str))
    return None
