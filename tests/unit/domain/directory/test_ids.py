"""Public ids: fixed for ever, exactly invertible, and strict about what they read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.directory.ids import (
    cgc_contact,
    contact_cgc,
    contact_cid,
    contact_id,
    transaction_ctr,
    transaction_range,
)

SHAPE = re.compile(r"(CID|CTR)_[0-9A-Za-z]{15}")


@pytest.mark.parametrize(("id_", "cid"), [(1, "CID_5czQRHK7VUJ9nEq"), (1001, "CID_MeyC5m556jHmNaP")])
def test_contact_ids_never_change(id_: int, cid: str) -> None:
    """Ids that were given out stay what they are."""
    assert contact_cid(id_) == cid
    assert contact_id(cid) == id_


def test_a_transaction_id_never_changes() -> None:
    """It is the spelling of the key's first 11 bytes."""
    assert transaction_ctr(bytes(range(16))) == "CTR_001TSm0PiyImxIY"


@given(st.integers(0, 2**63 - 1))
def test_a_contact_id_reads_back(id_: int) -> None:
    """Every 63-bit number has an id of the expected shape, and that id is its own only."""
    cid = contact_cid(id_)
    assert SHAPE.fullmatch(cid)
    assert contact_id(cid) == id_


@given(st.integers(0, 2**63 - 1))
def test_an_id_within_a_list_reads_back(id_: int) -> None:
    """It has the characters of the contact's own, and neither reads as the other."""
    cgc = contact_cgc(id_)
    assert cgc == contact_cid(id_).replace("CID_", "CGC_")
    assert cgc_contact(cgc) == id_
    assert cgc_contact(contact_cid(id_)) is None
    assert contact_id(cgc) is None


@given(st.from_regex(r"CID_[0-9A-Za-z]{15}", fullmatch=True))
def test_what_reads_as_a_contact_is_its_only_spelling(cid: str) -> None:
    """No contact has two ids."""
    id_ = contact_id(cid)
    assert id_ is None or contact_cid(id_) == cid


@given(st.binary(min_size=16, max_size=16))
def test_a_transaction_id_finds_its_key(key: bytes) -> None:
    """The range holds the key, and all keys in it share the id."""
    ctr = transaction_ctr(key)
    assert SHAPE.fullmatch(ctr)
    found = transaction_range(ctr)
    assert found is not None
    low, high = found
    assert low <= key <= high
    assert transaction_ctr(low) == transaction_ctr(high) == ctr


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CID_",
        "CID_short",
        "CTR_5czQRHK7VUJ9nEq",
        "CID_5czQRHK7VUJ9nE-",
        "CID_zzzzzzzzzzzzzzz",
        "CID_5czQRHK7VUJ9nEr",
    ],
)
def test_other_texts_are_no_contact(text: str) -> None:
    """Wrong prefix, length, alphabet, too large a number, or one character mistyped."""
    assert contact_id(text) is None


@pytest.mark.parametrize("text", ["", "CTR_", "CID_001TSm0PiyImxIY", "CTR_zzzzzzzzzzzzzzz", "CTR_001TSm0PiyImxI\u00e9"])
def test_other_texts_are_no_transaction(text: str) -> None:
    """Nothing but what was given out is read."""
    assert transaction_range(text) is None


def test_what_has_no_id_is_refused() -> None:
    """A number outside 63 bits or a key of another length is a fault of the caller."""
    for id_ in (-1, 2**63):
        with pytest.raises(ValueError, match="63 bits"):
            contact_cid(id_)
    with pytest.raises(ValueError, match="16 bytes"):
        transaction_ctr(b"short")
