"""The ingress: its routes, and the one place where errors become answers (the table is in ``answers``)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from ingress.admission import Admission
from ingress.answers import answer_error, answer_missing, answer_success
from ingress.credentials import Credentials
from ingress.report import Report
from ingress.tracking import Tracking, Visit
from processor.logs import get_log
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
    """Put the ingress under ``/v1`` of an application; it reports to the log while that application runs."""
    admission = Admission(settings.max_in_flight_bytes)
    report = Report(lambda: admission.bytes_in_flight)
    tracking = Tracking(
        publisher,
        Credentials(revision),
        admission,
        events=settings.topic("segment.events"),
        rejected=settings.topic("segment.rejected"),
    )
    log = get_log()

    def answering(work: Callable[[Visit], Awaitable[None]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            started = time.perf_counter()
            visit = Visit(request, int(clock() * 1000))
            try:
                await work(visit)
                response: web.StreamResponse = answer_success(request)
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
        app.router.add_post(f"/v1/{name}", handler)
        app.router.add_post(f"/v1/{name}/", handler)
    app.router.add_route("*", "/v1/{path:.*}", _missing)

    async def reporting(_app: web.Application) -> AsyncIterator[None]:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(settings.report_interval_s)
                report.log(log)

        task = asyncio.create_task(repeat())
        yield
        task.cancel()
        report.log(log)

    app.cleanup_ctx.append(reporting)
    return report


def _ending(request: web.Request, response: web.Response) -> web.Response:
    """The server ends a connection whose body it could not read: say so, or the client's next request is lost."""
    if request.content.exception() is not None:
        response.force_close()
    return response


_KNOWN = frozenset({f"/v1/{name}" for name in (*CALLS, "batch")})


async def _missing(request: web.Request) -> web.StreamResponse:
    return answer_missing(request.path.rstrip("/") in _KNOWN)
