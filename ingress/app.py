"""The ingress: its routes, made of the table in ``operations``."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from aiohttp import HttpVersion11, web

from ingress.admission import Admission
from ingress.answering import Handler, Parts, answering, asking_first
from ingress.answers import answer_missing, answer_refusal
from ingress.callers import Callers
from ingress.credentials import Credentials
from ingress.gate import Gate
from ingress.notes import Notes
from ingress.operations import CALLS, OPERATIONS, Operation
from ingress.pixel import answer_gif
from ingress.reception import Reception
from ingress.report import Report
from ingress.tracking import Tracking
from ingress.works import work_of
from processor.logs import get_log
from processor.ports.publisher import Publisher
from processor.ports.revisions import CurrentRevision
from processor.settings import Settings

__all__ = ["CALLS", "add_routes", "answer_nothing", "build_app"]


def build_app(
    publisher: Publisher,
    revision: CurrentRevision,
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """An application that is the ingress and nothing else. Run it with ``access_log=None``."""
    app = web.Application()
    add_routes(app, publisher, revision, settings, clock=clock)
    app.router.add_route("*", "/{path:.*}", answer_nothing)
    return app


def add_routes(
    app: web.Application,
    publisher: Publisher,
    revision: CurrentRevision,
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
) -> Report:
    """Put the ingress under ``/v1``, ``/webhooks`` and ``/workflows`` of an application.

    It reports to the log while that application runs.
    """
    admission = Admission(settings.max_in_flight_bytes, settings.max_in_flight_requests)
    notes = Notes(revision)
    report = Report(lambda: admission.bytes_in_flight, notes)
    credentials = Credentials(revision)
    reception = Reception(publisher, admission, Gate(credentials, settings.workers), settings, notes)
    tracking = Tracking(reception, credentials)
    parts = Parts(reception, credentials, Callers(revision), tracking, report, get_log(), clock)
    for operation in OPERATIONS:
        _add(app.router, operation, parts)
    for room in ("v1", "webhooks", "workflows"):
        app.router.add_route("*", f"/{room}/{{path:.*}}", answer_nothing)
    app.cleanup_ctx.append(lambda _app: _reporting(parts))
    return report


def _add(router: web.UrlDispatcher, operation: Operation, parts: Parts) -> None:
    handler = answering(parts, work_of(operation, parts), pages=operation.pages)
    add = partial(router.add_route, expect_handler=_expect)
    for path in operation.paths:
        for spelling in (path, f"{path}/"):
            add(operation.method, spelling, handler)
            if operation.method == "GET":
                # A look at an image's address is no event.
                add("HEAD", spelling, _look if operation.kind == "pixel" else handler)
            add("OPTIONS", spelling, asking_first(parts, operation.method, pages=operation.pages))
            add("*", spelling, _by_another_method(operation))


async def _reporting(parts: Parts) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await asyncio.sleep(parts.settings.report_interval_s)
            parts.report.log(parts.log)

    task = asyncio.create_task(repeat())
    yield
    task.cancel()
    parts.report.log(parts.log)


def _by_another_method(operation: Operation) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        return answer_missing(operation.method)

    return handle


async def _look(_request: web.Request) -> web.StreamResponse:
    return answer_gif()


async def answer_nothing(_request: web.Request) -> web.StreamResponse:
    """There is no such path, in JSON."""
    return answer_missing()


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """What curl asks before a large body; anything else that a client expects is answered as every refusal."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return answer_refusal(417, "bad_expectation", "This server meets no expectation but 100-continue.")
    if request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun with it
    return None
