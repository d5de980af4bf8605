"""Pages of other origins: what a browser asks before it sends, and what lets a page read an answer.

The SDK in a browser sends ``Authorization`` and, on repeats, ``X-Retry-Count``, and waits as ``Retry-After`` says;
others send headers of their own. Source: spec, section 8. The origin is named, never ``*``: a browser that sends
credentials along accepts no other answer, and nothing here goes by cookies.
"""

import re

from aiohttp import web
from multidict import CIMultiDict

__all__ = ["allow", "foreign_origin", "preflight"]

_USUAL_HEADERS = "Authorization, Content-Type, X-Retry-Count"
_HEADERS = re.compile(r"[A-Za-z0-9_\-, ]{1,500}")
_MAX_AGE_S = "7200"
"""Seconds that a browser need not ask again. Source: Chromium takes no more."""


def foreign_origin(request: web.Request, origin: str) -> str | None:
    """The origin of the page that calls; ``None`` when it is our own."""
    return None if origin.partition("://")[2] == request.host else origin


def allow(headers: "CIMultiDict[str]", origin: str) -> None:
    """Let a page of this origin read the answer."""
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"
    headers["Access-Control-Expose-Headers"] = "Retry-After, X-RateLimit-Reset"
    headers["Vary"] = "Origin"


def preflight(request: web.Request, method: str, *, allowed: bool) -> web.Response:
    """The answer to OPTIONS; a page that may not call is told nothing, and its browser sends nothing."""
    response = web.Response(status=204, headers={"Allow": f"{method}, OPTIONS", "Vary": "Origin"})
    origin = request.headers.get("Origin")
    if origin is not None and allowed:
        asked = request.headers.get("Access-Control-Request-Headers", "")
        allow(response.headers, origin)
        response.headers["Access-Control-Allow-Methods"] = method
        response.headers["Access-Control-Allow-Headers"] = asked if _HEADERS.fullmatch(asked) else _USUAL_HEADERS
        response.headers["Access-Control-Max-Age"] = _MAX_AGE_S
    return response
