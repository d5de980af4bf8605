"""The calls of ``/API/v3`` that read, each a few lines: who asks, what for, in which shape."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from processor.api.envelope import Handler, RefusedError, enveloped
from processor.api.tokens import READ, authenticate, behind
from processor.api.v3.filters import parse_search
from processor.api.v3.paging import Pages
from processor.api.v3.shapes import contact_element, directory_element, single_contact, transaction_element
from processor.domain.directory.ids import contact_id
from processor.domain.rules import Directory
from processor.ports.queries import ContactRow, Queries
from processor.ports.revisions import CurrentRevision

__all__ = ["ROOT", "build_routes"]

ROOT = "/API/v3"


def build_routes(queries: Queries, revision: CurrentRevision, public_url: str = "") -> list[web.RouteDef]:
    """The table of routes. ``public_url`` stands in ``nextPage`` where a proxy hides the address that was asked."""
    api = _Reading(queries, revision, public_url)
    directory = f"{ROOT}/directories/{{directory}}"
    contact = f"{directory}/contacts/{{contact}}"
    return [
        web.get(f"{ROOT}/whoami", enveloped(api.whoami)),
        web.get(f"{ROOT}/directories", api.reading(api.directories)),
        web.get(f"{ROOT}/directories/", api.reading(api.directories)),
        web.get(f"{directory}/contacts", api.reading(api.contacts)),
        web.post(f"{directory}/contacts/search", api.reading(api.search)),
        web.get(contact, api.reading(api.contact)),
        web.get(f"{contact}/transactions", api.reading(api.transactions)),
        web.route("*", f"{ROOT}/{{rest:.*}}", enveloped(api.unknown)),
    ]


class _Reading:
    def __init__(self, queries: Queries, revision: CurrentRevision, public_url: str) -> None:
        self._queries = queries
        self._revision = revision
        self._public_url = public_url

    def reading(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler behind a token that may read."""
        return enveloped(behind(READ, self._revision, handler))

    async def whoami(self, request: web.Request) -> object:
        """Any token may ask: clients test their set-up with it."""
        token = authenticate(request, self._revision.current.api_tokens)
        return {
            "brandId": "isthmus",
            "userId": f"UR_{token.name}",
            "userName": token.name,
            "accountType": "UT_isthmus",
            "firstName": token.name,
            "lastName": "",
            "email": "",
            "datacenter": "isthmus",
        }

    async def directories(self, _request: web.Request) -> object:
        """Those of the document; the first is the default."""
        counts = {row.id: row.contacts for row in await self._queries.directories()}
        elements = [
            directory_element(directory, counts.get(directory.id, 0), default=place == 0)
            for place, directory in enumerate(self._revision.current.directories.values())
        ]
        return {"elements": elements, "nextPage": None}

    async def contacts(self, request: web.Request) -> object:
        directory, pages = self._directory(request), Pages(request, self._public_url)
        rows = await self._queries.contacts(directory.id, pages.after_contact(), pages.limit)
        shown, next_page = pages.split(rows)
        return {"elements": [contact_element(row) for row in shown], "nextPage": next_page}

    async def search(self, request: web.Request) -> object:
        directory, pages = self._directory(request), Pages(request, self._public_url)
        criteria = parse_search(await request.read())
        rows = await self._queries.search(directory.id, criteria, pages.after_contact(), pages.limit)
        shown, next_page = pages.split(rows)
        return {"elements": [contact_element(row) for row in shown], "nextPage": next_page}

    async def contact(self, request: web.Request) -> object:
        return single_contact(await self._contact(request))

    async def transactions(self, request: web.Request) -> object:
        pages = Pages(request, self._public_url)
        contact = await self._contact(request)
        rows = await self._queries.transactions(contact.id, pages.after_transaction(), pages.limit)
        shown, next_page = pages.split(rows)
        return {"elements": [transaction_element(row) for row in shown], "nextPage": next_page}

    async def unknown(self, request: web.Request) -> object:
        authenticate(request, self._revision.current.api_tokens)
        raise RefusedError(404, "unknown_call", f"There is no such call as {request.method} on this path.")

    def _directory(self, request: web.Request) -> Directory:
        directory = self._revision.current.directories.get(request.match_info["directory"])
        if directory is None:
            raise RefusedError(404, "unknown_directory", "No directory has this id.")
        return directory

    async def _contact(self, request: web.Request) -> ContactRow:
        directory, id_ = self._directory(request), contact_id(request.match_info["contact"])
        row = await self._queries.contact(id_, directory.id) if id_ is not None else None
        if row is None:
            raise RefusedError(404, "unknown_contact", "No contact of this directory has this id.")
        return row
