"""What strict refuses and says, what it accepts beyond Segment, and the index that it yields."""

import json
from pathlib import Path

import pytest

from processor.domain.filters import Condition, Group, compile_filter, parse_filter, selectors, verdict
from processor.errors import FilterSyntaxError

REFUSED = json.loads((Path(__file__).parents[2] / "cases/strict_filters.json").read_text())
ORDER = {"type": "track", "event": "Order", "userId": "u", "properties": {"n": 3, "flag": True}}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["text"][:40])
def test_refusal_says_where_and_what_to_write(case):
    """Every text that Segment reads otherwise than written is refused, with its position and a hint."""
    with pytest.raises(FilterSyntaxError) as caught:
        compile_filter(case["text"])
    assert case["says"] in caught.value.message
    assert caught.value.position == case["position"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("always", True),
        ('type = "track", event = "Order"', True),
        ('(type = "page" or (event = "Order" and properties.n >= 3)) and properties.flag = true', True),
        ('(type = "page" or !contains(event, "rde")) and userId != null', False),
        ({"segment": 'type = "page" and userId = "x" or event = "Order"'}, True),
        ({"jmespath": "type == 'track' && properties.n > `2`"}, True),
        ({"jmespath": "properties.n"}, True),
        ({"jmespath": "properties.nope"}, False),
        ({"jmespath": "length(properties.n) > `0`"}, False),
    ],
)
def test_verdict(text, expected):
    """Each form of a filter gives its verdict; wrong types are no match."""
    assert compile_filter(text)(ORDER) is expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        [],
        {},
        {"jmespath": 5},
        {"other": "x"},
        {"jmespath": "a["},
        {"jmespath": "nope(@)"},
        "(" * 5000,
        {"jmespath": "(" * 5000},
        {"jmespath": ""},
        {"segment": ""},
        "properties.n = " + "9" * 200000,
    ],
)
def test_what_is_no_filter_is_a_syntax_error(value):
    """Nothing but FilterSyntaxError, whatever stands where a filter should."""
    with pytest.raises(FilterSyntaxError):
        compile_filter(value)


def test_huge_number():
    """A number beyond all numbers is infinite, as in Segment."""
    assert compile_filter("properties.n < " + "9" * 5000)(ORDER)


@pytest.mark.parametrize(
    ("text", "types", "events"),
    [
        ('type = "identify"', {"identify"}, None),
        ('type = "track" and event = "A"', {"track"}, {"A"}),
        ('type = "track" and (event = "A" or event = "B")', {"track"}, {"A", "B"}),
        ('type = "track" or event = "A"', None, None),
        ('type != "track"', None, None),
        ('contains(event, "A")', None, None),
        ('type = "a" and type = "b"', set(), None),
        ("always", None, None),
        ({"jmespath": "type == 'track'"}, None, None),
        ({"segment": 'type = "track" and event = "A" or event = "B"'}, None, None),
    ],
)
def test_selectors(text, types, events):
    """The index never leaves out an event that the filter could match."""
    assert selectors(parse_filter(text)) == (types, events)


def test_clauses_can_be_shown_one_by_one():
    """The tree gives each clause's text and verdict."""
    text = 'type = "track" and properties.n > 5'
    tree = parse_filter(text).tree
    assert isinstance(tree, Group)
    assert [isinstance(child, Condition) for child in tree.children] == [True, True]
    shown = [(text[child.start : child.end], verdict(child, ORDER)) for child in tree.children]
    assert shown == [('type = "track"', True), ("properties.n > 5", False)]
