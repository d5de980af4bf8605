"""Signatures: what is signed verifies, and nothing else does."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.signing import link_signature, same_text, sign, verify, verify_webhook

TEXTS = st.text(max_size=6)


@given(st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3), st.binary(min_size=1, max_size=4))
def test_only_the_same_parts(some, other, secret):
    """The same text cut elsewhere is something else: parts cannot be shifted into one another."""
    signature = sign(secret, *some)
    assert verify([b"another", secret], signature, *some)
    assert verify([secret], signature, *other) is (some == other)
    assert not verify([secret + b"x"], signature, *some)


@pytest.mark.parametrize("signature", [None, 7, "", "0" * 64, "ä" * 64, ["x"]])
def test_no_signature(signature):
    """Whatever JSON can hold is answered, and without a secret nothing verifies."""
    assert not verify([b"secret"], signature, "mark")
    assert not verify([], sign(b"\x00" * 32, "mark"), "mark"), "what stands in for no secret is none"


def test_link():
    """A link's signature is of that run and that contact, and of no mark."""
    signature = link_signature(b"s", "run", "CID_1")
    assert verify([b"s"], signature, "survey link", "run", "CID_1")
    assert not verify([b"s"], signature, "mark", "run", "CID_1")


def test_webhook_vector():
    """The example that Segment's own test has the form of: HMAC-SHA1, hex, over the exact text."""
    body = b'{"type":"track","event":"Caf\xc3\xa9"}'
    signature = hmac.new("geheim€".encode(), body, "sha1").hexdigest()
    assert verify_webhook(["old", "geheim€"], signature, body)
    assert not verify_webhook(["geheim€"], signature, body + b" ")
    assert not verify_webhook(["geheim€"], signature.upper(), body)
    assert not verify_webhook([], hmac.new(b"\x00" * 32, body, "sha1").hexdigest(), body)


def test_same_text():
    """One of several; the empty text is no secret."""
    assert same_text(("new", "old"), "old")
    assert not same_text(("new",), "ne")
    assert not same_text(("",), "")
    assert not same_text((), "")
