"""People who must not come back: ``POST`` and ``DELETE /control/v1/suppressions``."""

from collections.abc import Mapping

from aiohttp import web

from processor.api.bodies import read_json
from processor.api.refusals import RefusedError, refused
from processor.api.tokens import CONTROL, authenticate, require
from processor.domain.events.normalise import MAX_ID_BYTES
from processor.errors import UnavailableError
from processor.ports.directory import DirectoryWriter
from processor.ports.revisions import CurrentRevision

__all__ = ["Suppressions"]

_SHOWN = 'userId must be text that is not empty, of at most 512 bytes: {"userId": "…"}.'


class Suppressions:
    """The two calls. Neither says, nor logs, whom it concerns; the hash that is answered is known by who asked."""

    def __init__(self, revision: CurrentRevision, writer: DirectoryWriter | None) -> None:
        self._revision = revision
        self._writer = writer

    async def add(self, request: web.Request) -> object:
        """Delete the person everywhere, and answer what was taken away."""
        who = self._let_in(request)
        given, _ = await read_json(request)
        return (await self._to_write().suppress(_user(given), who)).shown()

    async def lift(self, request: web.Request) -> object:
        """By the body, or by ``userId`` in the query, for clients whose DELETE has no body."""
        self._let_in(request)
        given: object = dict(request.query)
        if "userId" not in request.query:
            given, _ = await read_json(request)
        if not await self._to_write().unsuppress(_user(given)):
            raise refused("unknown_suppression", "This person is not suppressed.")
        return {}

    def _let_in(self, request: web.Request) -> str:
        token = authenticate(request, self._revision.current.api_tokens)
        require(token, CONTROL)
        return f"api/{token.name}"

    def _to_write(self) -> DirectoryWriter:
        if self._writer is None:
            raise UnavailableError("this process has no writer")
        return self._writer


def _user(given: object) -> str:
    user = given.get("userId") if isinstance(given, Mapping) else None
    if not isinstance(user, str) or not user.strip() or len(user.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
        raise RefusedError(400, "bad_request", _SHOWN)
    return user
