"""Who is calling: the header ``X-API-TOKEN`` against the tokens of the revision in force."""

import hmac
from collections.abc import Sequence

from aiohttp import web

from processor.api.envelope import Handler
from processor.api.refusals import RefusedError
from processor.ports.revisions import ApiToken, CurrentRevision

__all__ = ["CONTROL", "HEADER", "READ", "WRITE", "authenticate", "behind", "require"]

HEADER = "X-API-TOKEN"
READ = "directory:read"
WRITE = "directory:write"
CONTROL = "control"


def authenticate(request: web.Request, tokens: Sequence[ApiToken]) -> ApiToken:
    """The caller's token; 401 without one. Every value is compared, so that the time taken names none of them."""
    given = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
    found: ApiToken | None = None
    for token in tokens:
        for value in token.values:
            same = hmac.compare_digest(value.encode(), given)
            if same and given:
                found = token
    if found is None:
        what = "is not one that the configuration names" if given else "is missing"
        raise RefusedError(401, "invalid_token", f"The header {HEADER} {what}.")
    return found


def require(token: ApiToken, scope: str) -> None:
    """403 when the token lacks the scope."""
    if scope not in token.scopes:
        raise RefusedError(403, "missing_scope", f"The token {token.name} lacks the scope {scope}.")


def behind(scope: str, revision: CurrentRevision, handler: Handler) -> Handler:
    """The handler for those alone who show a token with the scope."""

    async def guarded(request: web.Request) -> object:
        require(authenticate(request, revision.current.api_tokens), scope)
        return await handler(request)

    return guarded
