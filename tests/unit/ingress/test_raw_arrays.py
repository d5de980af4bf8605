"""Arrays cut into their elements' bytes."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.raw_arrays import cut, is_array, is_closed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def pieces(body: bytes, longest: int = 1_000_000) -> list[bytes]:
    return [body[start:end] for start, end in cut(body, longest)]


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_elements(items: list[object], indent: int | None, escaped: bool) -> None:
    """Each piece is the JSON of its element, whatever the spelling."""
    body = json.dumps(items, indent=indent, ensure_ascii=escaped).encode(errors="surrogatepass")
    assert is_array(body)
    assert is_closed(body)
    assert [json.loads(piece) for piece in pieces(body)] == items


def test_exact_bytes() -> None:
    """Numbers, escapes and blanks within an element stay as their sender wrote them: that is what was signed."""
    assert pieces(b' [ {"a" : 1.0, "b":"\\u00e9]"} ,\n2]\n') == [b'{"a" : 1.0, "b":"\\u00e9]"}', b"2"]
    assert pieces(b"[]") == pieces(b"[ ]") == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"[1,]", [b"1"]),
        (b"[,1]", [b"", b"1"]),
        (b'[{"a":1},{"b"', [b'{"a":1}', b'{"b"']),
        (b'[{"a":"x', [b'{"a":"x']),
        (b"[1]]", [b"1"]),
        (b"[", []),
    ],
)
def test_no_json(body: bytes, found: list[bytes]) -> None:
    """What is no JSON is cut all the same; its pieces are refused one by one."""
    assert pieces(body) == found


@pytest.mark.parametrize("body", [b"[" * 4_000_000, b'["' + b"a" * 4_000_000, b'[{"' + b'\\"' * 2_000_000])
def test_nobody_can_keep_us_looking(body: bytes) -> None:
    """Before anything is authenticated no more than one element's length is looked at, and that only once."""
    started = time.process_time()
    first = next(cut(body, 65_536))
    assert first[1] <= 1 + 65_536
    assert time.process_time() - started < 0.5
