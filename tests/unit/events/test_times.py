"""Moments: text to milliseconds and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.events import format_ms, parse_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T00:00:00.123456+00:00", 123),
        ("1970-01-01T00:00:00.999999999Z", 999),
        ("1970-01-01T01:00:00.5+01:00", 500),
        ("1970-01-01T00:00:00", 0),
        ("1970-01-02", 86_400_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("1970-01-01T00:00:00.x12Z", None),
        ("1970-13-01T00:00:00.000Z", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday, about noon", None),
        ("", None),
        ("1" * 100, None),
        (1_714_564_810, None),
        (None, None),
    ],
)
def test_parse(text: object, ms: int | None) -> None:
    """Every form that an SDK writes is read; nothing else is, and nothing raises."""
    assert parse_ms(text) == ms


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_there_and_back(ms: int) -> None:
    """A moment that was written is read as the same moment."""
    assert parse_ms(format_ms(ms)) == ms


@given(st.text(max_size=70))
def test_any_text(text: str) -> None:
    """No text makes it raise."""
    parse_ms(text)


def test_beyond_the_calendar() -> None:
    """The text form ends with the year 9999."""
    for ms in (10**15, 10**30):
        with pytest.raises(ValueError):
            format_ms(ms)
