"""The whole table of ``/API/v3``, as routes and as a document."""

from collections.abc import Sequence

from aiohttp import web

from processor.api.openapi import serve_document
from processor.api.operations import Operation, Parts, routes_of
from processor.api.v3.contacts import CONTACT_WRITES
from processor.api.v3.lists import MAILING_LISTS
from processor.api.v3.reading import READING
from processor.api.v3.transactions import TRANSACTIONS
from processor.ports.directory import DirectoryWriter
from processor.ports.lists import ListQueries
from processor.ports.queries import Queries
from processor.ports.revisions import CurrentRevision

__all__ = ["OPERATIONS", "ROOT", "build_routes"]

ROOT = "/API/v3"
OPERATIONS: Sequence[Operation] = (*READING, *CONTACT_WRITES, *TRANSACTIONS, *MAILING_LISTS)
"""Every call but ``openapi.json``, which is made of them."""


def build_routes(
    queries: Queries,
    revision: CurrentRevision,
    public_url: str = "",
    *,
    writer: DirectoryWriter,
    lists: ListQueries,
) -> list[web.RouteDef]:
    """The table of routes. ``public_url`` stands in ``nextPage`` where a proxy hides the address that was asked."""
    parts = Parts(queries, lists, writer, revision, public_url)
    return [serve_document(OPERATIONS, ROOT, public_url), *routes_of(OPERATIONS, parts, ROOT)]
