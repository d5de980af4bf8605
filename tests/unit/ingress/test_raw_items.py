"""The bytes of items, and the write key in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.raw_items import find_items, redact

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("batch"), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.lists(VALUES, max_size=6), st.dictionaries(st.text(max_size=8), VALUES, max_size=3), st.booleans())
def test_items_are_found(items: list[object], others: dict[str, object], wide: bool) -> None:
    """Each slice is the JSON of its item, whatever stands around it."""
    document = {**others, "batch": items, "after": others}
    body = json.dumps(document, indent=2 if wide else None, ensure_ascii=wide).encode(errors="surrogatepass")
    assert [json.loads(body[start:end]) for start, end in find_items(body)] == items


def test_last_of_duplicate_keys() -> None:
    """As the parser does, the last `batch` counts, also when its name is escaped."""
    body = b'{"batch":[1,2],"\\u0062atch":[3]}'
    assert [body[start:end] for start, end in find_items(body)] == [b"3"]


def test_redact_keeps_the_length() -> None:
    """Stars in place of the key, also of one that was cut off or is escaped."""
    assert redact(b'{"writeKey":"k\\"1","a":"k2"}', "k2") == b'{"writeKey":"****","a":"**"}'
    assert redact(b'{"writeKey": "abc', "") == b'{"writeKey": "***'


@pytest.mark.parametrize(
    "raw",
    [
        rb'{"\u0077riteKey":"wk_secret"}',
        rb'{"\u0077riteKey" : "wk_\u0073ecret", "a": 1}',
        rb'{"a":"x wk_\u0073ecret y", "b":"\\"}',
        rb'{"a\/b":"wk_\u0073ecret"',
        rb'{"\u0077riteKey":"wk_\u0073ecr',
        rb'{"\u0077riteKey":"wk_\u0073ecret\\',
        rb'{"wk_\u0073ecret":1}',
    ],
)
def test_redact_reads_escapes(raw: bytes) -> None:
    """A key that a parser would read is overwritten however it is escaped; the length stays."""
    kept = redact(raw, "wk_secret")
    assert len(kept) == len(raw)
    assert b"ecr" not in kept


def test_redact_leaves_the_rest() -> None:
    """What is no key stays as it came, escapes and all."""
    raw = rb'{"writeKeys":"a\u0041","x":{"y":"\"writeKey\":"},"writeKey":7,"z":"\ud83d\ude00"}'
    assert redact(raw, "wk_secret") == raw
