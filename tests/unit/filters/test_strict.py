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


WIDE = {
    "type": "track",
    "event": "Order\nCompleted",
    "userId": "ア🎉",
    "properties": {
        "n": 3,
        "zero": 0,
        "yes": True,
        "text": "",
        "list": ["dark-mode", 1, True, None],
        "none": [],
        "object": {"a": 1},
        "nothing": None,
        "email": "Ada@Example.COM",
        "odd": "\ud83dx",
        "glob": "a*b?c[d]\\-",
    },
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('type in ["track", "page"]', True),
        ('type in ["page"]', False),
        ('!(type in ["page", "screen"])', True),
        ('!(name in ["page"])', True),
        ("properties.n in [1, 3]", True),
        ('properties.n in ["3"]', False),
        ("properties.yes in [1]", False),
        ("properties.zero in [0.0, 2]", True),
        ('properties.object in ["a", 1]', False),
        ('"dark-mode" in properties.list', True),
        ("1 in properties.list", True),
        ("3 in properties.list", False),
        ('!("blink" in properties.list)', True),
        ('!("blink" in properties.nope)', True),
        ('"a" in properties.email', False),
        ('"a" in properties.object', False),
        ("length(userId) = 7", True),
        ("length(properties.odd) = 4", True),
        ("length(properties.list) = 4", True),
        ("length(properties.none) = 0", True),
        ("length(properties.nope) = 0", True),
        ("length(properties.nothing) < 1", True),
        ("length(properties.object) >= 0", False),
        ("length(properties.n) != 7", False),
        ("length(event) in [14, 15]", True),
        ('lowercase(properties.email) = "ada@example.com"', True),
        ('lowercase(properties.email) != "ada"', True),
        ('lowercase(properties.n) = "3"', False),
        ('lowercase(properties.n) != "3"', True),
        ('lowercase(event) in ["order\ncompleted"]', True),
        ('contains(lowercase(properties.email), "example")', True),
        ('!contains(lowercase(properties.n), "example")', False),
        ('match(lowercase(properties.email), "*.com")', True),
        ('(contains(lowercase(event), "x") or type = "track")', True),
        ('typeof(properties.email) = "string"', True),
        ('typeof(properties.n) = "number"', True),
        ('typeof(properties.yes) = "bool"', True),
        ('typeof(properties.list) = "list"', True),
        ('typeof(properties.object) = "object"', True),
        ('typeof(properties.nothing) = "null"', True),
        ('typeof(properties.nope) = "null"', True),
        ('typeof(properties.nope) != "string"', True),
        ('typeof(properties.n) in ["number", "null"]', True),
        ('glob(event, "Order?Completed")', True),
        ('glob(event, "Order*")', True),
        ('glob(event, "order*")', False),
        ('glob(event, "rder*")', False),
        ('glob(event, "[A-Z]*[^A-Z]")', True),
        ('glob(event, "*[^a-z]*")', True),
        ('glob(type, "tr[abc]ck")', True),
        ('glob(userId, "?🎉")', True),
        ('glob(userId, "[ァ-ヶ]?")', True),
        ('glob(userId, "?")', False),
        ('glob(properties.text, "")', True),
        ('glob(properties.text, "***")', True),
        ('glob(properties.n, "*")', False),
        ('!glob(properties.n, "*")', False),
        ('!glob(event, "A*")', True),
        ('glob(properties.odd, "?x")', True),
        ('!glob(properties.odd, "??x")', True),
        (r'glob(properties.glob, "a\*b\?c\[d\]\\\-")', True),
        (r'glob(properties.glob, "*[]\]][\\][-]")', None),
        (r'glob(properties.glob, "*[\]a][\\][-x]")', True),
        ('glob(lowercase(properties.email), "*@example.[a-z][a-z]m")', True),
        ('(glob(event, "x") or type = "track") and (((type in ["track"])))', True),
    ],
)
def test_wider_language(text, expected):
    """What Segment's destination filters know beyond its actions; the wrong type is no match."""
    if expected is None:
        with pytest.raises(FilterSyntaxError):
            compile_filter(text)
    else:
        assert compile_filter(text)(WIDE) is expected


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(f'glob(event, "{place:02}*{"a" * 40}")' for place in range(25)),
        " or ".join(f'glob(event, "{place:02}*????????")' for place in range(4)),
    ],
)
def test_globs_of_a_filter_are_bounded(text):
    """Every glob is matched against every event, so all of a filter's have a bound together."""
    with pytest.raises(FilterSyntaxError, match="the globs of one filter"):
        compile_filter(text)
    compile_filter(text.rpartition(" or ")[0].rpartition(" or ")[0])


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
        ('type in ["track", "page"] and event in ["A", "B"]', {"track", "page"}, {"A", "B"}),
        ('type = "track" and (event = "A" or event in ["B", "C"])', {"track"}, {"A", "B", "C"}),
        ('!(type in ["track"])', None, None),
        ('lowercase(event) = "a"', None, None),
        ('lowercase(type) in ["track"]', None, None),
        ('typeof(type) = "string"', None, None),
        ('glob(type, "track")', None, None),
        ('"track" in properties.type', None, None),
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
