"""Signatures: ours on marks and survey links, Segment's on webhooks. Secrets are passed in; several are good at once
while one is rotated. Every comparison takes the same time, whatever was given, and looks at every secret.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256

__all__ = ["link_signature", "same_text", "sign", "verify", "verify_webhook"]

_NOBODYS = b"\x00" * 32
"""Stands in where there is no secret, so that the time says nothing about it."""


def sign(secret: bytes, *parts: str) -> str:
    """64 hex digits over the parts, the first of which says what is signed: a signature serves one purpose."""
    text = b"".join(b"%d:%s" % (len(raw), raw) for raw in (part.encode(errors="surrogatepass") for part in parts))
    return hmac.new(secret, text, sha256).hexdigest()


def verify(secrets: Sequence[bytes], signature: object, *parts: str) -> bool:
    """Whether one of the secrets made this signature of the parts; ``False`` for what is no text."""
    given = signature.encode(errors="replace") if isinstance(signature, str) else b""
    good = False
    for secret in secrets or (_NOBODYS,):
        good |= hmac.compare_digest(sign(secret, *parts).encode(), given)
    return good and bool(secrets)


def link_signature(secret: bytes, run: str, contact: str) -> str:
    """What a survey link carries as ``isthmus_sig`` beside ``isthmus_run`` and ``isthmus_contact``."""
    return sign(secret, "survey link", run, contact)


def verify_webhook(secrets: Sequence[str], signature: str, text: bytes) -> bool:
    """Segment's ``X-Signature``: HMAC-SHA1 in lower-case hex, the key is the shared secret as text.

    Source: spec/segment-webhook-destination.md, section 3.
    """
    given = signature.encode(errors="replace")
    good = False
    for secret in (secret.encode() for secret in secrets) if secrets else (_NOBODYS,):
        good |= hmac.compare_digest(hmac.digest(secret, text, "sha1").hex().encode(), given)
    return good and bool(secrets)


def same_text(good: Sequence[str], given: str) -> bool:
    """Whether a secret that was shown is one of the good ones; the empty text never is."""
    shown = given.encode(errors="surrogateescape")
    found = False
    for secret in good or ("",):
        found |= hmac.compare_digest(secret.encode(), shown)
    return found and bool(good) and bool(shown)
