"""`@jmespath`, the directive that is ours."""

import pytest

from processor.domain.mappings import MISSING, compile_mapping
from processor.errors import MappingError, RejectedError


@pytest.mark.parametrize(
    ("expression", "event", "value"),
    [
        ("properties.plan || 'free'", {"properties": {}}, "free"),
        ("properties.plan || 'free'", {"properties": {"plan": "pro"}}, "pro"),
        ("items[?price > `5`].name", {"items": [{"name": "a", "price": 9}, {"name": "b", "price": 1}]}, ["a"]),
        ("nothing.here", {}, MISSING),
        ("a", {"a": None}, MISSING),
        ("a", {"a": 0}, 0),
        ("{x: a, y: b}", {"a": 1}, {"x": 1, "y": None}),
    ],
)
def test_values(expression, event, value):
    """What JMESPath gives; its null is no value, because it cannot tell one from nothing."""
    assert compile_mapping({"@jmespath": expression})(event) == value


def test_no_value_is_no_key():
    """As with every directive."""
    assert compile_mapping({"a": {"@jmespath": "b"}, "c": 1})({}) == {"c": 1}


def test_the_shape_of_an_item():
    """In an array's shape it sees the item, also one that is no object."""
    mapped = compile_mapping({"@arrayPath": ["$.a", {"x": {"@jmespath": "@"}}]})
    assert mapped({"a": [1, {"b": 2}]}) == [{"x": 1}, {"x": {"b": 2}}]


def test_errors():
    """One that cannot be read is a fault wherever it stands in the document; a wrong type rejects the event."""
    with pytest.raises(MappingError) as caught:
        compile_mapping({"a": {"@jmespath": "nope(b)"}})
    assert [(fault.path, "nope()" in fault.message) for fault in caught.value.faults] == [("/a/@jmespath", True)]
    with pytest.raises(RejectedError) as rejected:
        compile_mapping({"a": {"@jmespath": "length(b)"}})({"b": 5})
    assert rejected.value.code == "mapping_failed"
    with pytest.raises(RejectedError):
        compile_mapping([{"@jmespath": 5}])({})
