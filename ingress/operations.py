"""One table of what a client can ask: routes, refusals of other methods and the OpenAPI document are made of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["CALLS", "OPERATIONS", "Kind", "Operation"]

CALLS = ("identify", "track", "page", "screen", "group", "alias")
Kind = Literal["call", "batch", "metrics", "pixel", "settings", "document", "webhook", "results", "workflow"]


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the table. Every path is there with a slash at its end too."""

    kind: Kind
    method: Literal["GET", "POST"]
    path: str
    summary: str
    call: str = ""
    """Which of the six, where the path says so."""
    also: tuple[str, ...] = ()
    """The same by another name. Source: the SDKs' code, spec section 2."""
    pages: bool = True
    """Whether scripts of pages may call it, as far as the source lets them."""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.also)


def _table() -> Iterator[Operation]:
    for call in CALLS:
        yield Operation("call", "POST", f"/v1/{call}", f"One {call} call.", call, (f"/v1/{call[0]}",))
    yield Operation("batch", "POST", "/v1/batch", "Up to 2,500 calls at once.", also=("/v1/import", "/v1/b"))
    yield Operation("metrics", "POST", "/v1/m", "Figures of the browser SDK about itself; nothing is kept.")
    for call in CALLS:
        yield Operation("pixel", "GET", f"/v1/pixel/{call}", f"One {call} call as the address of an image.", call)
    yield Operation(
        "settings", "GET", "/v1/projects/{writeKey}/settings", "What browser and mobile SDKs ask when they start."
    )
    yield Operation(
        "webhook", "POST", "/webhooks/segment/{source}", "What Segment's webhook destination delivers.", pages=False
    )
    yield Operation("results", "POST", "/v1/results", "One result, an array, or a platform's own JSON.", pages=False)
    yield Operation(
        "workflow", "POST", "/workflows/{workflow}/events", "JSON that starts a run of a workflow.", pages=False
    )
    yield Operation("document", "GET", "/v1/openapi.json", "This document.")


OPERATIONS: tuple[Operation, ...] = tuple(_table())
