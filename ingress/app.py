"""The ingress: its routes, and the one place where errors become answers (the table is in ``answers``)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from ingress.admission import Admission
from ingress.answers import answer_error, answer_missing, answer_success
from ingress.callers import Callers
from ingress.credentials import Credentials
from ingress.intake import intake
from ingress.notes import Notes
from ingress.reception import Reception
from ingress.report import Report
from ingress.tracking import Tracking, Visit
from processor.logs import Log, get_log
from processor.ports.publisher import Publisher
from processor.ports.revisions import CurrentRevision
from processor.settings import Settings

__all__ = ["CALLS", "add_routes", "build_app"]

CALLS = ("identify", "track", "page", "screen", "group", "alias")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
    app.router.add_route("*", "/{path:.*}", _missing)
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
    admission = Admission(settings.max_in_flight_bytes)
    notes = Notes(revision)
    report = Report(lambda: admission.bytes_in_flight, notes)
    credentials = Credentials(revision)
    tracking = Tracking(
        publisher,
        credentials,
        admission,
        notes,
        events=settings.topic("segment.events"),
        rejected=settings.topic("segment.rejected"),
    )
    log = get_log()
    reception = Reception(publisher, admission, settings, notes)

    def answering(work: Callable[[Visit], Awaitable[web.StreamResponse | None]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            started = time.perf_counter()
            visit = Visit(request, int(clock() * 1000))
            try:
                response = await work(visit) or answer_success(request)
            except ConnectionError:
                raise  # the caller has gone; there is nobody to answer
            except Exception as error:  # noqa: BLE001 - the table has a line for each
                response = _ending(request, answer_error(error, log))
            finally:
                admission.give(visit.reserved)
            report.observe(visit.source, response.status, time.perf_counter() - started)
            return response

        return handle

    def call(type_: str) -> Handler:
        return answering(lambda visit: tracking.call(visit, type_))

    for name, handler in [*((type_, call(type_)) for type_ in CALLS), ("batch", answering(tracking.batch))]:
        _add_post(app.router, f"/v1/{name}", handler)
    for path, work in intake(reception, Callers(revision), credentials, log):
        _add_post(app.router, path, answering(work))
    for room in ("v1", "webhooks", "workflows"):
        app.router.add_route("*", f"/{room}/{{path:.*}}", _missing)
    app.cleanup_ctx.append(lambda _app: _reporting(report, settings.report_interval_s, log))
    return report


async def _reporting(report: Report, every_s: float, log: Log) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await asyncio.sleep(every_s)
            report.log(log)

    task = asyncio.create_task(repeat())
    yield
    task.cancel()
    report.log(log)


def _ending(request: web.Request, response: web.Response) -> web.Response:
    """The server ends a connection whose body it could not read: say so, or the client's next request is lost."""
    if request.content.exception() is not None:
        response.force_close()
    return response


def _add_post(router: web.UrlDispatcher, path: str, handler: Handler) -> None:
    for spelling in (path, f"{path}/"):
        router.add_post(spelling, handler)
        router.add_route("*", spelling, _by_post)


async def _by_post(_request: web.Request) -> web.StreamResponse:
    return answer_missing(known=True)


async def _missing(_request: web.Request) -> web.StreamResponse:
    return answer_missing(known=False)
