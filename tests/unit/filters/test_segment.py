"""Corners of Segment's runtime that the recorded cases do not reach; taken from its published source."""

import pytest

from processor.domain.filters import compile_filter
from processor.errors import FilterSyntaxError

TRACK = {"type": "track", "event": "party 🎉x", "properties": {"n": 0x10, "deep": {"list": [1]}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('() and type = "track"', False),  # its evaluator throws on the empty group
        ('type = "track" or ()', True),  # unless an earlier term settles it
        ('() or type = "track"', False),
        ('properties.\\[ = 1 or type = "track"', False),
        ('match(event, "🎉x")', True),  # it cuts half of the first character
        ('!match(event, "🎉x")', False),
        ('constructor = "x" and type = "track"', True),
        ('properties.n = 16 and properties.n > "0xf"', True),
        ('properties.n > "0xzz"', False),
        ('properties.n < "Infinity"', True),
        ("properties.deep.list.length = 1", True),
        ("event = an", False),
    ],
)
def test_corners(text, expected):
    """Where Segment's evaluator would throw, the filter does not match."""
    assert compile_filter(text, strict=False)(TRACK) is expected
    assert compile_filter(text, strict=False)("no event") is False


@pytest.mark.parametrize("text", ["constructor", "contains(", "properties.a\\", "properties.n = 1.2.3", "\\🎉 = 1"])
def test_errors(text):
    """What makes its parser or lexer give up is our syntax error."""
    with pytest.raises(FilterSyntaxError):
        compile_filter(text, strict=False)
