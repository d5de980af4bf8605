"""What each kind of operation does."""

from functools import partial
from typing import assert_never

from aiohttp import web

from ingress.answering import Parts, Work
from ingress.answers import answer_missing, status_of, waiting_headers
from ingress.bodies import discard
from ingress.credentials import UnknownKeyError
from ingress.openapi import serve_document
from ingress.operations import OPERATIONS, Operation
from ingress.pixel import answer_gif
from ingress.results import Results
from ingress.sdk_settings import answer_settings
from ingress.tracking import MAX_BATCH_BYTES
from ingress.visit import Visit
from ingress.webhook import Webhook
from ingress.workflow_url import WorkflowUrl

__all__ = ["work_of"]


def work_of(operation: Operation, parts: Parts) -> Work:
    """The work behind a row of the table."""
    match operation.kind:
        case "call":
            return partial(parts.tracking.call, type_=operation.call)
        case "batch":
            return parts.tracking.batch
        case "metrics":
            return _metrics(parts)
        case "pixel":
            return _pixel(parts, operation.call)
        case "settings":
            return _sdk_settings(parts)
        case "webhook":
            return Webhook(parts.reception, parts.callers, parts.credentials).deliver
        case "results":
            secrets = parts.settings.secrets
            return Results(parts.reception, parts.callers, parts.credentials, secrets).post
        case "workflow":
            return WorkflowUrl(parts.reception, parts.callers, parts.log).post
        case "document":
            return serve_document(OPERATIONS, parts.settings.public_url)
        case _:
            assert_never(operation.kind)


def _metrics(parts: Parts) -> Work:
    async def work(visit: Visit) -> None:
        await discard(visit.request, MAX_BATCH_BYTES, parts.settings.body_timeout_s)

    return work


def _pixel(parts: Parts, call: str) -> Work:
    async def work(visit: Visit) -> web.StreamResponse:
        try:
            await parts.tracking.pixel(visit, call)
        except Exception as error:
            status = status_of(error)
            if status == 500:
                parts.log.error("request_failed", error=type(error).__name__, exc_info=error)
            # Nobody reads why an image was refused, and a mail must not show a broken one: that is a 200.
            return answer_gif(200 if status < 429 else status, waiting_headers(error))
        return answer_gif()

    return work


def _sdk_settings(parts: Parts) -> Work:
    async def work(visit: Visit) -> web.StreamResponse:
        key = visit.request.match_info["writeKey"]
        try:
            visit.source = parts.credentials.by_key(key)
        except UnknownKeyError:
            return answer_missing()
        parts.reception.gate.enter(visit.source, visit.origin, visit.now_s)
        return answer_settings(visit.request, key, parts.settings.public_url)

    return work
