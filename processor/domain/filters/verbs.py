"""What each verb asks of a value: a test that never raises, with every choice made beforehand."""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from processor.domain.filters.globs import matcher
from processor.domain.filters.tree import Value, Verb
from processor.domain.mappings.javascript import MISSING

__all__ = ["Test", "test_of"]

Test = Callable[[Any], bool]


def test_of(verb: Verb, value: Value) -> Test:
    """The test that ``verb`` and ``value`` stand for; a value of another type passes none but ``not_equals``,
    ``not_in`` and ``not_includes``."""
    if verb in ("includes", "not_includes") and isinstance(value, str | float):
        return _list_test(value, negate=verb == "not_includes")
    if isinstance(value, tuple):
        return _choice_test(value, negate=verb == "not_in")
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


def _choice_test(wanted: tuple[str | float, ...], *, negate: bool) -> Test:
    texts = frozenset(value for value in wanted if isinstance(value, str))
    numbers = frozenset(value for value in wanted if isinstance(value, float))

    def chosen(actual: Any) -> bool:
        kind = type(actual)
        found = actual in texts if kind is str else (kind is int or kind is float) and actual in numbers
        return found is not negate

    return chosen


def _list_test(wanted: str | float, *, negate: bool) -> Test:
    if isinstance(wanted, str):
        return lambda actual: (type(actual) is list and wanted in actual) is not negate

    def holds(actual: Any) -> bool:
        # One by one: for Python 1 is true.
        found = type(actual) is list and any(type(item) in (int, float) and item == wanted for item in actual)
        return found is not negate

    return holds


def _text_test(verb: Verb, wanted: str) -> Test:
    match verb:
        case "equals":
            return lambda actual: actual == wanted
        case "glob":
            matches = matcher(wanted)
            return lambda actual: type(actual) is str and matches(actual)
        case "not_glob":
            matches = matcher(wanted)
            return lambda actual: type(actual) is str and not matches(actual)
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


def _suffix_test(wanted: str, *, negate: bool) -> Test:
    if "\ud800" <= wanted[:1] <= "\udfff":  # half a character: compare as Segment does, in UTF-16 units
        units = wanted.encode("utf-16-le", "surrogatepass")
        return lambda actual: (
            type(actual) is str and actual.encode("utf-16-le", "surrogatepass").endswith(units) is not negate
        )
    if negate:
        return lambda actual: type(actual) is str and not actual.endswith(wanted)
    return lambda actual: type(actual) is str and actual.endswith(wanted)


_ORDERS: dict[Verb, Callable[[Any, Any], bool]] = {"less": lt, "at_most": le, "greater": gt, "at_least": ge}


def _number_test(verb: Verb, wanted: float) -> Test:
    if verb == "number_equals":
        return lambda actual: (type(actual) is int or type(actual) is float) and actual == wanted
    if verb == "number_not_equals":
        return lambda actual: (type(actual) is int or type(actual) is float) and actual != wanted
    order = _ORDERS[verb]
    return lambda actual: (type(actual) is int or type(actual) is float) and order(actual, wanted)
