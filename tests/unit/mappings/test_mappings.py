"""Faults, the document's own rules, and what holds for any mapping and any event."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.mappings import MISSING, compile_mapping, json_text, path_parts, printed
from processor.errors import MappingError, RejectedError


def faults(spec, *, document=True):
    """(path, message) of every fault."""
    with pytest.raises(MappingError) as caught:
        compile_mapping(spec, document=document)
    return [(fault.path, fault.message) for fault in caught.value.faults]


def test_every_fault_with_its_path():
    """One call lists all faults of a mapping."""
    spec = {
        "a": {"@nope": 1},
        "b": {"@path": 5},
        "c": {"d": {"@path": "$.x", "y": 1}},
        "e": {"@replace": {"value": "v", "pattern": "12345678901"}},
    }
    found = faults(spec, document=False)
    assert [path for path, _ in found] == ["/a", "/b/@path", "/c/d", "/e/@replace/pattern"]
    assert "@nope" in found[0][1]


@pytest.mark.parametrize(
    ("spec", "path", "says"),
    [
        ({"a": {"@path": "$"}}, "/a/@path", "`$.`"),
        ({"a": {"@arrayPath": ["$"]}}, "/a/@arrayPath/0", "`$.`"),
        ({"a": {"@template": "{{{properties.x}}}"}}, "/a/@template", "`{{x}}`"),
        ({"a": {"@template": {"@path": "$.x"}}}, "/a/@template", "`{{x}}`"),
        ({"a": [{"@nope": 1}]}, "/a/0", "@nope"),
        ({"a": {"@literal": {"b": {"@nope": 1}}}}, "/a/@literal/b", "@nope"),
        ({"a": {"@if": {"then": 1}}}, "/a/@if", "exists"),
        ({"a": {"@case": {"operator": "title", "value": "x"}}}, "/a/@case/operator", "lower or upper"),
        ({"a": {"@json": {"mode": "ENCODE", "value": "x"}}}, "/a/@json/mode", "encode or decode"),
        ({"a": [{"@jmespath": "a ||"}]}, "/a/0/@jmespath", "JMESPath"),
        ({"a": [{"@jmespath": 5}]}, "/a/0/@jmespath", "a text"),
    ],
)
def test_document_rules(spec, path, says):
    """The document refuses what Segment takes and reads oddly, and says what to write."""
    compile_mapping({key: value for key, value in spec.items() if "@nope" not in str(value)})
    [(found, message)] = faults(spec)
    assert found == path
    assert says in message


def test_a_value_is_never_expanded_twice():
    """What the event holds between braces stays text."""
    mapped = compile_mapping({"a": {"@template": "{{x}} {{y}}"}}, document=True)
    assert mapped({"x": "{{y}}", "y": "{{x}}"}) == {"a": "{{y}} {{x}}"}


def test_depth_and_types_are_faults():
    """Neither a bottomless mapping nor one that is no JSON reaches the compiler."""
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    assert "64 levels" in faults(deep)[0][1]
    assert "no JSON" in faults({"a": {1, 2}})[0][1]
    assert "no text" in faults({5: 1})[0][1]


def test_missing_is_one_and_false():
    """One MISSING, false, also after copying."""
    assert repr(MISSING) == "MISSING"
    assert not MISSING
    assert copy.deepcopy(MISSING) is MISSING


@pytest.mark.parametrize(
    ("spec", "event"),
    [
        ({"@template": "{{{a}}}"}, {"a": "{{b}}" * 3000, "b": "x" * 16000}),
        ({"@replace": {"value": {"@path": "$.a"}, "pattern": "a", "replacement": "$`"}}, {"a": "a" * 32000}),
        ({"@flatten": {"value": {"@path": "$.a"}, "separator": "."}}, {"a": {"k" * 16000: [1] * 8000}}),
    ],
)
def test_an_expansion_is_bounded(spec, event):
    """What the event blows up rejects the event."""
    mapped = compile_mapping(spec)
    with pytest.raises(RejectedError) as caught:
        mapped(event)
    assert caught.value.code == "mapping_failed"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"), (-0.0, "0"), (0.1, "0.1"), (1e21, "1e+21"), (1.5e-7, "1.5e-7"), (1e-6, "0.000001"),
        (1e20, "1" + "0" * 20),
        (123456789012345680.0, "123456789012345680"), (True, "true"), (None, "null"), ([1, [2, None]], "1,2,"),
        ({}, "[object Object]"), (float("nan"), "NaN"), (10**400, "Infinity"),
        (1.2345e-5, "0.000012345"), (10**20, "1" + "0" * 20),
    ],
)  # fmt: skip
def test_printing(value, text):
    """Numbers and the rest print as in JavaScript."""
    assert printed(value) == text


def test_json_text():
    """Compact, 2.0 as 2, halves of characters escaped, depth bounded."""
    assert (
        json_text({"a": [2.0, None, MISSING, "é"], "b": MISSING, "c": float("inf")})
        == '{"a":[2,null,null,"é"],"c":null}'
    )
    assert json_text("\ud800") == '"\\ud800"'
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(ValueError):
        json_text(deep)


def test_paths():
    """Brackets split only before an index or a quote; quotes go."""
    assert path_parts("a.b[0]['c d'].e[f]") == ("a", "b", "0", "c d", "e[f]")


def test_lengths_and_characters():
    """A list and a text have a length, a text has characters."""
    mapped = compile_mapping([{"@path": "$.list.length"}, {"@path": "$.text.length"}, {"@path": "$.text.1"}])
    assert mapped({"list": [1, 2], "text": "abc"}) == [2, 3, "b"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("{{a}} {{{b}}}")
NAMES = st.sampled_from(["a", "b", "0", "userId", "@path", "_metadata"])
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=8)
PATHS = st.sampled_from(["$.a", "$.a.b", "a[0].b", "$", "$.", "", "userId", "$.a.b.c", "a.length"])


def directives(inner):
    """Any directive with anything in it."""
    texts = st.sampled_from(
        ["left", "right", "lower", "upper", "encode", "decode", ".", "$&", "a", "{{a}} {{{b}}}", "a.b || length(a)"]
    )
    options = st.sampled_from(
        [
            "exists",
            "blank",
            "then",
            "else",
            "value",
            "operator",
            "pattern",
            "replacement",
            "ignorecase",
            "global",
            "pattern2",
            "replacement2",
            "direction",
            "objects",
            "apply",
            "mapping",
            "separator",
            "omitArrays",
            "mode",
        ]
    )
    names = ["@path", "@template", "@literal", "@if", "@case", "@replace", "@arrayPath", "@merge", "@transform"]
    names += ["@flatten", "@json", "@excludeWhenNull", "@liquid", "@jmespath", "@nope"]
    values = inner | texts | st.dictionaries(options, inner | texts, max_size=5)
    return st.builds(lambda name, value: {name: value}, st.sampled_from(names), values)


SPECS = st.recursive(
    SCALARS | PATHS.map(lambda path: {"@path": path}),
    lambda inner: directives(inner) | st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(SPECS, st.booleans(), st.dictionaries(NAMES, JSON) | JSON)
def test_only_our_errors_and_no_trace(spec, document, event):
    """Any mapping compiles or is a MappingError; any event maps or is rejected, and stays as it was."""
    before = repr(spec)
    try:
        mapped = compile_mapping(spec, document=document)
    except MappingError:
        return
    event_before = repr(event)
    try:
        output = mapped(event)
    except RejectedError as error:
        outcome = error.code
    else:
        outcome = "mapping_failed" if output is MISSING or "MISSING" not in repr(output) else "leaked"
    assert outcome == "mapping_failed"
    assert repr(event) == event_before
    assert repr(spec) == before


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({"pattern": "é", "replacement": "$&$&", "ignorecase": True}, "aÉb", "aÉÉb"),
        ({"pattern": "b", "replacement": "[$`$'$$$1]"}, "abc", "a[ac$$1]c"),
        ({"pattern": "ß", "replacement": "x", "ignorecase": True}, "ẞß", "ẞx"),
        ({"pattern": "a", "replacement": "$&!", "global": False}, "aa", "a!a"),
    ],
)
def test_replacement_marks(options, text, expected):
    """Marks in a replacement and letters without regard to case, as in JavaScript."""
    assert compile_mapping({"@replace": {"value": {"@path": "$.v"}, **options}})({"v": text}) == expected


def test_unchecked_directives_reject_when_reached():
    """Inside arrays Segment checks nothing: a broken directive fails there only for an event that reaches it."""
    broken = [{"@merge": 1}, {"@transform": {}}, {"@json": 1}, {"@flatten": 1}, {"@case": 1}, {"@arrayPath": 1}]
    for directive in [*broken, {"@merge": {"direction": "left", "objects": 1}}, {"@path": 5}, {"@template": 5}]:
        with pytest.raises(RejectedError):
            compile_mapping([directive])({})
    assert compile_mapping([{"@replace": {"value": "a", "pattern": 5}}])({}) == [""]
    assert compile_mapping({"@merge": {"direction": "right", "objects": [{"@path": "$.a"}]}})({"a": ["x"]}) == {
        "0": "x"
    }
