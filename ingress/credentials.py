"""Who sends: a write key, as Basic user or in the body, to the source that it belongs to."""

import hmac
from base64 import b64decode
from collections.abc import Sequence
from hashlib import blake2b

from processor.errors import RejectedError
from processor.ports.revisions import Compiled, CurrentRevision, HttpSource

__all__ = ["Credentials", "UnauthorizedError", "UnknownKeyError"]


_HEADERS_KEPT = 1_000


class UnauthorizedError(RejectedError):
    """Whoever it is has not shown what is needed. Nothing of his is kept."""


class UnknownKeyError(UnauthorizedError):
    """No source has this write key. Answered alike whether there was none, a malformed one or a wrong one."""

    def __init__(self) -> None:
        super().__init__("unknown_write_key", "The write key is missing or unknown; check the key of this source.")


class Credentials:
    """The write keys of the revision in force.

    Keys are found by their digest, so neither the time of a look-up nor of a comparison tells anything about a key.
    """

    def __init__(self, revision: CurrentRevision) -> None:
        self._revision = revision
        self.made_of: Compiled | None = None
        """The revision of the last look-up."""
        self._sources: dict[bytes, tuple[bytes, str]] = {}
        self._headers: dict[str, tuple[str, str]] = {}

    def follow(self) -> None:
        """Take the revision in force; every look-up does so first."""
        current = self._revision.current
        if current is not self.made_of:
            self._sources = _table(current.http_sources)
            self._headers = {}
            self.made_of = current

    def by_key(self, key: str) -> str:
        """The id of the source with this write key. Raises ``UnknownKeyError``."""
        self.follow()
        digest = _digest(key)
        known, source = self._sources.get(digest, (b"", ""))
        if not hmac.compare_digest(known, digest):
            raise UnknownKeyError
        return source

    def by_header(self, authorization: str | None) -> tuple[str, str] | None:
        """The source and the key of a Basic header: the key is the user, with or without a colon.

        ``None`` without a Basic header: the body decides, for a Bearer token too. Raises ``UnknownKeyError``.
        """
        self.follow()
        if authorization is None:
            return None
        # Headers that were good before, found by Python's keyed hash: what is not among them tells nothing.
        good = self._headers.get(authorization)
        if good is not None:
            return good
        if authorization[:6].lower() != "basic ":
            return None
        try:
            key = b64decode(authorization[6:].strip(), validate=True).decode().partition(":")[0]
        except ValueError:
            raise UnknownKeyError from None
        good = self.by_key(key), key
        if len(self._headers) < _HEADERS_KEPT:
            self._headers[authorization] = good
        return good

    def by_body(self, document: object) -> tuple[str, str]:
        """The source and the key of ``writeKey`` in the body's object. Raises ``UnknownKeyError``."""
        key = document.get("writeKey") if isinstance(document, dict) else None
        if not isinstance(key, str):
            raise UnknownKeyError
        return self.by_key(key), key


def _table(sources: Sequence[HttpSource]) -> dict[bytes, tuple[bytes, str]]:
    return {(digest := _digest(key)): (digest, source.id) for source in sources for key in source.write_keys if key}


def _digest(key: str) -> bytes:
    return blake2b(key.encode(errors="surrogatepass"), digest_size=32).digest()
