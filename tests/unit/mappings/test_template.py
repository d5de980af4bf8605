"""Templates with three braces, written with two."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.mappings import compile_mapping, expanded_once


@pytest.mark.parametrize(
    ("template", "once"),
    [
        ("{{{a}}}", "{{a}}"),
        ("x {{{ a.b }}}{{c}} {{{d}}}y", "x {{a.b}}{{c}} {{d}}y"),
        ('{"a":{"b":{{{c}}}}}', '{"a":{"b":{{c}}}}'),
        ("{{{{a}}}}", None),
        ("{{{ }}}", None),
        ("{{x {{{y}}}", None),
        ("{{a{{{b}}}}}", None),
        ("{{{a", None),
        ("{{a}{{{b}}}}", None),
    ],
)
def test_expanded_once(template, once):
    """Three braces become two only where the same paths are read."""
    assert expanded_once(template) == once


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["{", "{{", "{{{", "}", "}}", "}}}", "a", " ", "b", "-"]), max_size=12).map("".join))
def test_once_gives_the_same(template):
    """The same text for every event whose values hold no braces."""
    once = expanded_once(template)
    event = {"a": "A", "b": 5, "ab": "AB"}
    if once is not None:
        given = [compile_mapping({"x": {"@template": text}})(event) for text in (template, once)]
        assert given[0] == given[1]
