"""Who calls the webhook, the results and the addresses of workflows, and whether he may.

Whatever is wrong is answered alike: neither the text nor the time tells whether there is such a source or workflow.
"""

from base64 import b64decode
from collections.abc import Mapping

from aiohttp import web

from processor.domain.signing import same_text
from processor.errors import RejectedError
from processor.ports.revisions import ApiToken, Compiled, CurrentRevision, HttpSource, HttpWorkflow

__all__ = ["Callers", "ForbiddenError", "UnknownWorkflowError", "basic_password", "bearer"]


class ForbiddenError(RejectedError):
    """A caller who is known and may not do this."""


class UnknownWorkflowError(RejectedError):
    """Told only to who has shown a token that may start workflows; anybody else hears that his token is wrong."""

    def __init__(self) -> None:
        super().__init__("unknown_workflow", "There is no workflow with this id.")


class Callers:
    """Sources, workflows and tokens of the revision in force."""

    def __init__(self, revision: CurrentRevision) -> None:
        self._revision = revision
        self._made_of: Compiled | None = None
        self._sources: Mapping[str, HttpSource] = {}
        self._workflows: Mapping[str, HttpWorkflow] = {}

    def _follow(self) -> Compiled:
        current = self._revision.current
        if current is not self._made_of:
            self._sources = {source.id: source for source in current.http_sources}
            self._workflows = {workflow.id: workflow for workflow in current.http_workflows}
            self._made_of = current
        return current

    def source(self, source_id: str) -> HttpSource | None:
        self._follow()
        return self._sources.get(source_id)

    def results_source(self, source_id: str | None) -> HttpSource:
        """The source that a token's results come from: the one it names, else the only one that takes results.

        Raises ``RejectedError("unknown_source")``.
        """
        self._follow()
        fitting = [source for source in self._sources.values() if source.results and source_id in (None, source.id)]
        if len(fitting) == 1:
            return fitting[0]
        advice = "name one that takes results: /v1/results?source=ID"
        raise RejectedError("unknown_source", f"There is no such source; {advice}.")

    def workflow(self, workflow_id: str) -> HttpWorkflow | None:
        self._follow()
        return self._workflows.get(workflow_id)

    def token(self, shown: str) -> ApiToken | None:
        """The API token with this value. Every value is compared, so that the time taken names none of them."""
        found: ApiToken | None = None
        for token in self._follow().api_tokens:
            if same_text(token.values, shown):
                found = token
        return found


def bearer(request: web.Request) -> str:
    """The API token that a request shows: in ``X-API-TOKEN``, or as a Bearer token; empty without one."""
    named = request.headers.get("X-API-TOKEN")
    if named is not None:
        return named
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def basic_password(request: web.Request) -> str:
    """The password of a Basic header; empty without one that can be read."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
