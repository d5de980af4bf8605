"""A tree to one function. Every path is split and every choice made here, once; an event only walks closures."""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any, assert_never

from processor.domain.filters.tree import Broken, Condition, Group, Matches, Node, Verb
from processor.domain.mappings.javascript import MISSING, step

__all__ = ["compile_tree", "verdict"]

_Read = Callable[[dict[str, Any]], Any]
_Test = Callable[[Any], bool]


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
    if isinstance(node, Condition) and node.root == "type" and node.verb == "equals":
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
    if node.verb == "equals" and isinstance(node.value, str):
        wanted = node.value
        return lambda event: read(event) == wanted
    test = _test(node.verb, node.value)
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


def _test(verb: Verb, value: str | float | None) -> _Test:
    if isinstance(value, str):
        return _text_test(verb, value)
    if isinstance(value, float):
        return _number_test(verb, value)
    match verb:
        case "exists":
            return lambda actual: actual is not None and actual is not MISSING
        case "not_exists":
            return lambda actual: actual is None or actual is MISSING
        case "is_true":
            return lambda actual: actual is True
        case "is_false":
            return lambda actual: actual is False
    return _never


def _never(_actual: Any) -> bool:
    return False


def _text_test(verb: Verb, wanted: str) -> _Test:
    match verb:
        case "not_equals":
            return lambda actual: actual != wanted
        case "contains":
            return lambda actual: type(actual) is str and wanted in actual
        case "not_contains":
            return lambda actual: type(actual) is str and wanted not in actual
        case "starts_with":
            return lambda actual: type(actual) is str and actual.startswith(wanted)
        case "not_starts_with":
            return lambda actual: type(actual) is str and not actual.startswith(wanted)
        case "ends_with" | "not_ends_with":
            return _suffix_test(wanted, negate=verb == "not_ends_with")
    return _never


def _suffix_test(wanted: str, *, negate: bool) -> _Test:
    if "\ud800" <= wanted[:1] <= "\udfff":  # half a character: compare as Segment does, in UTF-16 units
        units = wanted.encode("utf-16-le", "surrogatepass")
        return lambda actual: (
            type(actual) is str and actual.encode("utf-16-le", "surrogatepass").endswith(units) is not negate
        )
    if negate:
        return lambda actual: type(actual) is str and not actual.endswith(wanted)
    return lambda actual: type(actual) is str and actual.endswith(wanted)


_ORDERS: dict[Verb, Callable[[Any, Any], bool]] = {"less": lt, "at_most": le, "greater": gt, "at_least": ge}


def _number_test(verb: Verb, wanted: float) -> _Test:
    if verb == "number_equals":
        return lambda actual: (type(actual) is int or type(actual) is float) and actual == wanted
    if verb == "number_not_equals":
        return lambda actual: (type(actual) is int or type(actual) is float) and actual != wanted
    order = _ORDERS[verb]
    return lambda actual: (type(actual) is int or type(actual) is float) and order(actual, wanted)
