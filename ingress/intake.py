"""What is taken beside the tracking API: Segment's webhooks, results, and what starts workflows, each with its path."""

from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from ingress.callers import Callers
from ingress.credentials import Credentials
from ingress.reception import Reception
from ingress.results import Results
from ingress.tracking import Visit
from ingress.webhook import Webhook
from ingress.workflow_url import WorkflowUrl
from processor.logs import Log

__all__ = ["intake"]

Work = Callable[[Visit], Awaitable[web.StreamResponse | None]]


def intake(reception: Reception, callers: Callers, credentials: Credentials, log: Log) -> Iterator[tuple[str, Work]]:
    """Path and work of each POST. Work that returns nothing is answered with the usual success."""
    yield "/webhooks/segment/{source}", Webhook(reception, callers, credentials).deliver
    yield "/v1/results", Results(reception, callers, credentials, reception.settings.secrets).post
    yield "/workflows/{workflow}/events", WorkflowUrl(reception, callers, log).post
