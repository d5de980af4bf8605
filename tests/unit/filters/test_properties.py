"""What holds for any filter and any event."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.filters import compile_filter, parse_filter, selectors
from processor.errors import FilterSyntaxError

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["A", "track"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0", "type"]), inner),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from(["type", "event", "name", "userId", "properties", "traits", "context"]), JSON)
WORDS = st.sampled_from(
    [
        "type",
        "event",
        "userId",
        "name",
        "properties.a",
        "traits.a.b",
        "context",
        "constructor",
        "contains",
        "match",
        "and",
        "or",
        "null",
        "true",
        "AND",
        "not",
        "=",
        "!=",
        "<",
        "<=",
        ">",
        "!",
        "(",
        ")",
        ",",
        ".",
        "[",
        "\\",
        '"A"',
        '"track"',
        '"*A"',
        '"A*"',
        "'A'",
        "5",
        "-1.5",
        ".5",
        "an",
        " ",
        "\n",
        "🎉",
        '"',
        "contains(event,",
    ],
)
FILTERS = st.lists(WORDS, max_size=14).map(" ".join) | st.lists(WORDS, max_size=14).map("".join) | st.text(max_size=30)


@settings(max_examples=400, deadline=None)
@given(FILTERS, EVENTS | JSON)
def test_only_our_error_and_no_trace(text, event):
    """Any text compiles or is a syntax error; a compiled filter never raises and never changes its event."""
    for form, strict in ((text, True), (text, False), ({"jmespath": text}, True)):
        try:
            matches = compile_filter(form, strict=strict)
        except FilterSyntaxError:
            continue
        before = copy.deepcopy(event)
        assert matches(event) in (True, False)
        assert repr(event) == repr(before)


ROOTS = st.sampled_from(["properties.a", "traits.a", "context.a.b", "properties.b"])
NUMBERS = st.sampled_from(["0", "1", "-2", "1.5"])
TERMS = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["type", "event"]), st.sampled_from(["=", "!="]), st.just('"A"')),
    st.builds("{} {} {}".format, ROOTS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), NUMBERS),
    st.builds("{} {} {}".format, ROOTS, st.sampled_from(["=", "!="]), st.sampled_from(['"A"', "null"])),
    st.builds("{} = {}".format, ROOTS, st.sampled_from(["true", "false"])),
    st.builds("{}contains({}, {})".format, st.sampled_from(["", "!"]), ROOTS, st.just('"A"')),
    st.builds("{}match({}, {})".format, st.sampled_from(["", "!"]), ROOTS, st.sampled_from(['"A*"', '"*A"', '"*"'])),
)
LEVELS = st.tuples(st.lists(TERMS, min_size=1, max_size=3), st.sampled_from([" and ", " or ", ", "])).map(
    lambda pair: pair[1].join(pair[0])
)
ACTION_FILTERS = st.tuples(
    st.lists(LEVELS.map("({})".format) | TERMS, min_size=1, max_size=3), st.sampled_from([" and ", " or "])
).map(lambda pair: pair[1].join(pair[0]))


@settings(max_examples=400, deadline=None)
@given(ACTION_FILTERS, EVENTS)
def test_strict_and_segment_agree(text, event):
    """Where strict accepts a filter, Segment reads it the same way, and the index lets its events through."""
    try:
        strict = parse_filter(text)
    except FilterSyntaxError as error:
        assert "last in its group" in error.message  # noqa: PT017 - the only refusal that such texts may meet
        return
    expected = compile_filter(text, strict=False)(event)
    assert strict.matches(event) is expected
    types, events = selectors(strict)
    if expected:
        assert types is None or event.get("type") in types
        assert events is None or event.get("event") in events
