"""The header ``Idempotency-Key``: by it a write that was sent twice is done once."""

import re

from aiohttp import web

from processor.api.refusals import refused
from processor.domain.directory.effect_keys import effect_key
from processor.ports.revisions import ApiToken

__all__ = ["HEADER", "MAX_LENGTH", "idempotency_key", "once"]

HEADER = "Idempotency-Key"
MAX_LENGTH = 200
"""Characters, printable ASCII."""
_PRINTABLE = re.compile(rf"[\x20-\x7e]{{1,{MAX_LENGTH}}}")


def idempotency_key(request: web.Request) -> str | None:
    """What the caller sent, or ``None``. Raises ``RefusedError`` (400, ``QVAL_3``)."""
    given = request.headers.get(HEADER)
    if given is not None and not _PRINTABLE.fullmatch(given):
        raise refused("QVAL_3", f"{HEADER} must be 1 to {MAX_LENGTH} printable ASCII characters.")
    return given


def once(request: web.Request, token: ApiToken, key: str | None) -> bytes | None:
    """The 16 bytes by which a repeat of this call is known: the token's, the key's and the address's own."""
    if key is None:
        return None
    return effect_key("request", "api", token.name, f"{key}\x1f{request.method}\x1f{request.path}")
