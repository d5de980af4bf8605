"""Trees written back as strict text: what Segment alone reads, said so that strict accepts it."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.filters import (
    Broken,
    Condition,
    Group,
    compile_filter,
    parse_filter,
    same_reading,
    strict_text,
)
from processor.domain.filters.compiler import compile_tree
from processor.errors import FilterSyntaxError

CASES = [json.loads(line) for line in (Path(__file__).parents[2] / "cases/filters.jsonl").read_text().splitlines()]
READ = {case["filter"] for case in CASES if not case.get("error")}
EVENTS = [case["event"] for case in CASES if isinstance(case.get("event"), dict)]


def segment(text):
    return parse_filter(text, strict=False).tree


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('type = "a" and event = "b" or event = "c"', 'type = "a" or event = "b" or event = "c"'),
        ('messageId = "x" and type = "track"', 'type = "track"'),
        ('(contains(event, "A") or event = "B")', 'contains(event, "A") or event = "B"'),
        (
            '(type = "a" or userId = "b") and contains(event, "A")',
            '(type = "a" or userId = "b") and contains(event, "A")',
        ),
        ("event = 5", 'event = "5"'),
        ("event != null", 'event != "null"'),
        ("properties = 1", "properties.properties = 1"),
        ("properties.a != true", 'properties.a != "true"'),
        ("properties.a = TRUE", 'properties.a = "TRUE"'),
        ("properties.a = 1e5", "properties.a = 1"),
        ('properties.a > "-0.25"', "properties.a > -0.25"),
        ("properties.a = 100000000000000000000000", "properties.a = 99999999999999991611392"),
        ("event = 'A'", "event = \"'A'\""),
        ('match(event, "Order")', 'match(event, "*rder")'),
        ('match(event, "x")', 'match(event, "*")'),
        ('!match(event, "x")', '!match(event, "*")'),
        ("properties.items.\\0.\\a\\nd = null", "properties.items\\[0\\].\\and = null"),
        ("properties.\\0.a\\ b.über\\-x != null", None),
        ("properties.\\0.a\\ b.\\ü != null", "properties.\\0.a\\ b.\\ü != null"),
    ],
)
def test_written(text, written):
    """Each oddity as plain words."""
    try:
        tree = segment(text)
    except FilterSyntaxError:
        assert written is None
        return
    assert strict_text(tree) == written


@pytest.mark.parametrize(
    "tree",
    [
        Broken(),
        Group("and", (Condition("type", (), "equals", "a"), Broken())),
        Group("or", ()),
        Condition("properties", ("a",), "never", "x"),
        Condition("properties", ("a",), "less", float("nan")),
        Condition("properties", ("a",), "less", float("inf")),
        Condition("userId", (), "is_true"),
        Condition("userId", (), "less", 5.0),
        Condition("type", (), "contains", "x"),
        Condition("event", (), "equals", 'a"b'),
        Condition("event", (), "equals", "a\\"),
        Condition("event", (), "starts_with", "a*b"),
        Condition("event", (), "ends_with", "\udc00x"),
        Condition("properties", ("🎉",), "exists"),
        Condition("properties", ("a",), "in", ("a", 'b"c')),
        Condition("properties", ("a",), "in", ()),
        Condition("properties", ("a",), "in", (float("inf"),)),
        Condition("type", (), "in", (5.0,)),
        Condition("type", (), "includes", "a"),
        Condition("event", (), "glob", "[a"),
        Condition("event", (), "glob", "?\udc00"),
        Condition("event", (), "equals", "A", function="lowercase"),
        Condition("event", (), "exists", function="length"),
        Condition("event", (), "equals", "array", function="typeof"),
    ],
)
def test_what_strict_cannot_say(tree):
    """``None``, never a text that means something else."""
    assert strict_text(tree) is None


def test_functions_in_inner_groups():
    """A function that is not last in an inner group stands in one of its own."""
    function = Condition("event", (), "contains", "A")
    other = Condition("type", (), "equals", "track")
    tree = Group("or", (other, Group("and", (function, other, function))))
    assert strict_text(tree) == 'type = "track" or ((contains(event, "A")) and type = "track" and contains(event, "A"))'


@pytest.mark.parametrize(
    "text",
    [
        'type in ["track", "page"]',
        '!(properties.a in [1, -2.5, "b"])',
        '"dark mode" in properties.x\\ y',
        "!(5 in traits.items\\[0\\])",
        "length(event) <= 20",
        'lowercase(event) != "order"',
        'typeof(properties.a) in ["list", "null"]',
        '!glob(event, "[^a-z]*\\\\?")',
        '(glob(lowercase(event), "a*b") and type = "track") or contains(lowercase(event), "x")',
    ],
)
def test_wider_language(text):
    """What Segment's actions do not know is written as it was."""
    assert strict_text(parse_filter(text).tree) == text


def test_a_function_of_a_field_is_another_condition():
    """Two trees that differ only in the function are not the same reading."""
    assert not same_reading(parse_filter('lowercase(event) = "a"').tree, parse_filter('event = "a"').tree)


def test_same_reading():
    """The places in the text do not count, the order does; a broken tree is like no other."""
    assert same_reading(segment('type = "a", event = "b"'), parse_filter('type="a" and event="b"').tree)
    assert not same_reading(segment('type = "a", event = "b"'), segment('event = "b", type = "a"'))
    assert not same_reading(Broken(), Broken())


@pytest.mark.parametrize("text", sorted(READ), ids=lambda text: text[:40])
def test_conformance_filters(text):
    """What is written for any of Segment's recorded filters gives Segment's verdict for every recorded event."""
    tree = segment(text)
    written = strict_text(tree)
    if written is None:
        return
    matches, expected = compile_filter(written), compile_tree(tree)
    assert [matches(event) for event in EVENTS] == [expected(event) for event in EVENTS]


def test_most_filters_can_be_written():
    """Nine of ten recorded filters have a strict text, so that the test above is about something."""
    written = [text for text in READ if strict_text(segment(text)) is not None]
    assert len(written) > 0.9 * len(READ)


VALUES = (
    st.none() | st.booleans() | st.sampled_from([0, 5, -1.5, "", "A", "Ab", "bA", "5", "null", "'A'", "true", "track"])
)
OBJECTS = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "and", "properties", "x y"]), inner, max_size=4)
    ),
    max_leaves=6,
)
FIELDS = ["type", "event", "name", "userId", "properties", "traits", "context"]
EVENT = st.dictionaries(st.sampled_from(FIELDS), OBJECTS)
FIELD = st.sampled_from([*FIELDS, "properties.a", "traits.a.b", "context.\\and", "properties.a\\[0\\]", "traits.x\\ y"])
VALUE = st.sampled_from(
    ['"A"', '"track"', '""', "'A'", "5", "-1.5", "+5", "null", "true", "false", "TRUE", '"null"', '"5"', '"a*b"']
)
PATTERN = st.sampled_from(['"A*"', '"*A"', '"A"', '"*"', '""', '"*A*"', "'A*'", "5", "true"])
OPERATOR = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "."])
TERM = st.one_of(
    st.builds("{} {} {}".format, FIELD, OPERATOR, VALUE),
    st.builds(
        "{}{}({}, {})".format, st.sampled_from(["", "!"]), st.sampled_from(["contains", "match"]), FIELD, PATTERN
    ),
    st.sampled_from(['messageId = "x"', "not", '!type = "A"', "constructor = 5"]),
)
JOINER = st.sampled_from([" and ", " or ", ", ", " OR ", " "])


def levels(terms):
    pieces = st.lists(st.tuples(terms, JOINER), min_size=1, max_size=4)
    return pieces.map(lambda found: "".join(term + joiner for term, joiner in found[:-1]) + found[-1][0])


@settings(max_examples=1000, deadline=None)
@given(levels(levels(TERM).map("({})".format) | TERM), st.lists(EVENT, min_size=4, max_size=8))
def test_same_verdict(text, events):
    """Whatever Segment reads: the strict text is accepted, is the same tree, and gives the same verdicts."""
    try:
        tree = segment(text)
    except FilterSyntaxError:
        return
    written = strict_text(tree)
    if written is None:
        return
    strict = parse_filter(written)
    assert same_reading(strict.tree, tree)
    expected = compile_tree(tree)
    for event in events:
        assert strict.matches(event) is expected(event)


STRICT = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, st.sampled_from(["type", "event"]), st.sampled_from(["=", "!="]), st.just('"A"')),
        st.builds("properties.a {} {}".format, st.sampled_from(["=", "<", ">="]), st.sampled_from(["5", "-1.5"])),
        st.sampled_from(['contains(event, "A")', '!match(traits.a.b, "A*")', "userId = null", "context.a = false"]),
        st.sampled_from(['type in ["A"]', "!(5 in traits.a)", "length(event) < 5", '!glob(event, "A?[^b]*")']),
    ),
    lambda inner: st.tuples(
        st.lists(inner.map("({})".format), min_size=1, max_size=3), st.sampled_from([" and ", " or "])
    ).map(lambda pair: pair[1].join(pair[0])),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(STRICT)
def test_strict_comes_back(text):
    """What strict itself reads, nested groups and all, can always be written."""
    tree = parse_filter(text).tree
    written = strict_text(tree)
    assert written is not None
    assert same_reading(parse_filter(written).tree, tree)
