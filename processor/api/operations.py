"""One table of operations, of which both the routes and the OpenAPI document are made.

An operation says who may ask and what is asked and answered, by type; everything that all have alike is here: token,
limit, query, body, ``Idempotency-Key``. Its handler gets a ``Call`` and returns what stands under ``result``.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from processor.api.bodies import read_json
from processor.api.envelope import REQUEST_ID, Handler, enveloped
from processor.api.limits import Limits
from processor.api.refusals import no_contact, refused
from processor.api.repeats import idempotency_key
from processor.api.tokens import authenticate, require
from processor.api.wire import read_as
from processor.domain.directory.ids import contact_id
from processor.domain.rules import Directory
from processor.ports.directory import DirectoryWriter
from processor.ports.lists import ListQueries
from processor.ports.queries import Queries
from processor.ports.revisions import ApiToken, Compiled, CurrentRevision

__all__ = ["Call", "Operation", "Parts", "Rising", "routes_of"]

Method = Literal["GET", "POST", "PUT", "DELETE"]


class Rising:
    """Milliseconds since 1970, each greater than the last: of two writes of one caller the second must win."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> int:
        self._last = max(self._last + 1, time.time_ns() // 1_000_000)
        return self._last


@dataclass(frozen=True, slots=True)
class Parts:
    """What operations work with. ``public_url`` stands in addresses where a proxy hides the one that was asked."""

    queries: Queries
    lists: ListQueries
    writer: DirectoryWriter
    revision: CurrentRevision
    public_url: str = ""
    now_ms: Callable[[], int] = field(default_factory=Rising)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, let in and checked. ``query`` and ``body`` are of the operation's models, else ``None``."""

    parts: Parts
    request: web.Request
    compiled: Compiled
    """The revision in force when the call came in; it stays the same to its end."""
    token: ApiToken
    query: Any = None
    body: Any = None
    key: str | None = None
    """The ``Idempotency-Key``, where the operation takes one and the caller sent one."""
    size: int = 0
    """Bytes of the body: what is made of a large one is made ``beside`` the loop."""

    @property
    def request_id(self) -> str:
        return self.request[REQUEST_ID]

    @property
    def author(self) -> str:
        """Who writes, as the "why" of a contact and the audit of deletions show it."""
        return f"api/{self.token.name}"

    @property
    def writer(self) -> DirectoryWriter:
        return self.parts.writer

    def path(self, name: str) -> str:
        """A part of the address, such as ``transaction``."""
        return self.request.match_info[name]

    def directory(self) -> Directory:
        """The one in the address. Raises ``RefusedError`` (404)."""
        directory = self.compiled.directories.get(self.path("directory"))
        if directory is None:
            raise refused("unknown_directory", "No directory has this id.")
        return directory

    def contact(self) -> int:
        """The number behind the contact in the address; whether there is one is not looked at.
        Raises ``RefusedError`` (404) for what is no id at all."""
        number = contact_id(self.path("contact"))
        if number is None:
            raise no_contact()
        return number


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the table. ``path`` is below the root, with ``{name}`` for its parts."""

    method: Method
    path: str
    scope: str
    """Empty: any token may ask."""
    summary: str
    handler: Callable[[Call], Awaitable[object]]
    answer: type[BaseModel]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    errors: Sequence[str] = ()
    """Codes of ``refusals.STATUSES`` that are its own; those that any call of its kind can meet are added."""
    repeatable: bool = False
    """Takes the header ``Idempotency-Key``."""
    also: Sequence[str] = ()
    """Other spellings of the path that clients use; not in the document."""
    gives: Mapping[str, str] = field(default_factory=dict)
    """Parts of other addresses, such as ``contact``, to where they stand in the result: a JSON pointer."""


def routes_of(operations: Sequence[Operation], parts: Parts, root: str) -> list[web.RouteDef]:
    """The operations as routes below the root; another method there is a 405, everything else a 404."""
    routes: list[web.RouteDef] = []
    methods: dict[str, list[str]] = {}
    for operation in operations:
        handler = enveloped(_guarded(operation, parts))
        for path in (operation.path, *operation.also):
            methods.setdefault(root + path, []).append(operation.method)
            if operation.method == "GET":
                routes.append(web.get(root + path, handler))  # and HEAD
            else:
                routes.append(web.route(operation.method, root + path, handler))
    for path, known in methods.items():
        allowed = sorted({*known, *(["HEAD"] if "GET" in known else [])})
        routes.append(web.route("*", path, enveloped(_unknown(parts, allowed))))
    return [*routes, web.route("*", f"{root}/{{rest:.*}}", enveloped(_unknown(parts)))]


def _guarded(operation: Operation, parts: Parts) -> Handler:
    """First who, then how often, then what: nothing of a stranger's request is read."""

    async def handle(request: web.Request) -> object:
        compiled = parts.revision.current
        token = authenticate(request, compiled.api_tokens)
        parts.limits.spend(token, compiled)
        if operation.scope:
            require(token, operation.scope)
        key = idempotency_key(request) if operation.repeatable else None
        query = read_as(operation.query, dict(request.query), "The query") if operation.query else None
        body, size = None, 0
        if operation.body is not None:
            document, size = await read_json(request)
            body = read_as(operation.body, document, "The body")
        return await operation.handler(Call(parts, request, compiled, token, query, body, key, size))

    return handle


def _unknown(parts: Parts, allowed: Sequence[str] = ()) -> Handler:
    async def handle(request: web.Request) -> object:
        compiled = parts.revision.current
        parts.limits.spend(authenticate(request, compiled.api_tokens), compiled)
        if allowed:
            sentence = f"{request.method} is no call on this path; there are {', '.join(allowed)}."
            raise refused("method_not_allowed", sentence, {"Allow": ", ".join(allowed)})
        raise refused("unknown_call", f"There is no such call as {request.method} on this path.")

    return handle
