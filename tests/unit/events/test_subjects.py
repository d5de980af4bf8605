"""Of whom raw bytes speak, whatever they are."""

import json

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.events.subjects import MOST_SUBJECTS, subject, subjects

EVENT = b'{"userId": "Ada-1", "anonymousId": "x", "traits": {"email": "ada@shop.example", "plan": "pro"}, "n": 7}'


def speaks_of(text: str, value: bytes, key: bytes | None = None) -> bool:
    return subject(text) in subjects(key, value)


def test_ids_and_addresses_are_found_wherever_they_stand() -> None:
    """By key, at any depth, in text that is no JSON, short ones too; other texts are not ids."""
    for value in (EVENT, b"[[%s]]" % EVENT, EVENT[:-1] + b", trailing", b'{"batch":[' + EVENT + b","):
        assert speaks_of("ada-1 ", value)
        assert speaks_of("X", value)
        assert speaks_of("ADA@shop.example", value)
        assert not speaks_of("pro", value)
    assert speaks_of("7", b'{"userId": 7}')
    assert speaks_of("7", b'{"userId": 7,,')
    assert speaks_of("ü", rb'{"userId": "\u00fc"')
    assert speaks_of("u1", b"", key=b"u1")
    assert speaks_of("a@x.example", b"To: <a@x.example>, b@y.example")


def test_a_letter_has_only_so_many() -> None:
    """A flood of addresses costs no more than a batch."""
    assert len(subjects(None, b" ".join(b"a%d@x.example" % n for n in range(3 * MOST_SUBJECTS)))) == MOST_SUBJECTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(
    st.binary(max_size=60) | JSON.map(lambda document: json.dumps(document).encode()), st.none() | st.binary(max_size=9)
)
def test_any_bytes_can_be_read(value: bytes, key: bytes | None) -> None:
    """Never an error, and nothing twice."""
    found = subjects(key, value)
    assert len(found) == len(set(found))
    assert all(len(each) == 8 for each in found)
