"""A tree to one function. Every path is split and every choice made here, once; an event only walks closures."""

from collections.abc import Callable
from typing import Any, assert_never

from processor.domain.filters.functions import VALUE_FUNCTIONS
from processor.domain.filters.tree import Broken, Condition, Group, Matches, Node
from processor.domain.filters.verbs import test_of
from processor.domain.mappings.javascript import MISSING, step

__all__ = ["compile_tree", "verdict"]

_Read = Callable[[dict[str, Any]], Any]


class _Thrown(Exception):  # noqa: N818 - a signal, caught in this file
    """Segment's runtime would have thrown here."""


def compile_tree(node: Node) -> Matches:
    """The function that says whether an event matches. It never raises and never changes the event."""
    inner = _node(node)
    if not _breaks(node):
        return _guarded(node, inner)

    def matches(event: Any) -> bool:
        try:
            return type(event) is dict and inner(event)
        except _Thrown:
            return False

    return matches


def verdict(node: Node, event: Any) -> bool:
    """Whether one node of a tree holds, by itself: for showing each clause beside its verdict."""
    return compile_tree(node)(event)


def _guarded(node: Node, inner: Matches) -> Matches:
    if isinstance(node, Condition) and node.root == "type" and node.verb == "equals" and node.function is None:
        wanted = node.value  # by far the most frequent filter of all

        def type_equals(event: Any) -> bool:
            return type(event) is dict and event.get("type") == wanted

        return type_equals
    return lambda event: type(event) is dict and inner(event)


def _breaks(node: Node) -> bool:
    return isinstance(node, Broken) or (isinstance(node, Group) and any(_breaks(child) for child in node.children))


def _node(node: Node) -> Matches:
    match node:
        case Condition():
            return _condition(node)
        case Group():
            return _group(node.joiner, [_node(child) for child in node.children])
        case Broken():
            return _throw
        case _:
            assert_never(node)


def _throw(_event: Any) -> bool:
    raise _Thrown


def _group(joiner: str, children: list[Matches]) -> Matches:
    if len(children) == 2:
        first, second = children
        if joiner == "and":
            return lambda event: first(event) and second(event)
        return lambda event: first(event) or second(event)
    if joiner == "and":

        def every(event: Any) -> bool:
            for child in children:  # noqa: SIM110 - a generator costs as much as the loop again
                if not child(event):
                    return False
            return True

        return every

    def some(event: Any) -> bool:
        for child in children:  # noqa: SIM110
            if child(event):
                return True
        return False

    return some


def _condition(node: Condition) -> Matches:
    read = _reader(node.root, node.path)
    if node.function is not None:
        apply, judge = VALUE_FUNCTIONS[node.function], test_of(node.verb, node.value)
        return lambda event: judge(apply(read(event)))
    if node.verb == "equals" and isinstance(node.value, str):
        wanted = node.value
        return lambda event: read(event) == wanted
    test = test_of(node.verb, node.value)
    return lambda event: test(read(event))


def _reader(root: str, path: tuple[str, ...]) -> _Read:
    if not path:
        return lambda event: event.get(root, MISSING)
    if len(path) == 1:
        key = path[0]

        def one(event: dict[str, Any]) -> Any:
            value = event.get(root, MISSING)
            return value.get(key, MISSING) if type(value) is dict else step(value, key)

        return one

    def deep(event: dict[str, Any]) -> Any:
        value = event.get(root, MISSING)
        for key in path:
            value = value.get(key, MISSING) if type(value) is dict else step(value, key)
        return value

    return deep
