"""What each verb asks of a value: a test that never raises, with every choice made beforehand."""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from processor.domain.filters.tree import Verb
from processor.domain.mappings.javascript import MISSING

__all__ = ["Test", "test_of"]

Test = Callable[[Any], bool]


def test_of(verb: Verb, value: str | float | None) -> Test:
    """The test that ``verb`` and ``value`` stand for; a value of another type passes none but ``not_equals``."""
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


def _text_test(verb: Verb, wanted: str) -> Test:
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
