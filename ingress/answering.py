"""What every request passes through, whatever it asks: admission, the table from error to status, figures, CORS."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from ingress import cors
from ingress.answers import answer_error, answer_success
from ingress.callers import Callers
from ingress.credentials import Credentials
from ingress.reception import Reception
from ingress.report import Report
from ingress.tracking import Tracking
from ingress.visit import Visit
from processor.logs import Log
from processor.settings import Settings

__all__ = ["Handler", "Parts", "Work", "answering", "asking_first"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Work = Callable[[Visit], Awaitable[web.StreamResponse | None]]
"""Does what was asked; returns nothing when the usual success is the answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the ingress of one process is made of."""

    reception: Reception
    credentials: Credentials
    callers: Callers
    tracking: Tracking
    report: Report
    log: Log
    clock: Callable[[], float]

    @property
    def settings(self) -> Settings:
        return self.reception.settings


def answering(parts: Parts, work: Work, *, pages: bool) -> Handler:
    """The work as a handler that never fails. ``pages``: scripts of other origins may read its answers."""
    admission, gate, clock, observe = parts.reception.admission, parts.reception.gate, parts.clock, parts.report.observe

    async def handle(request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        visit = Visit(request, int(clock() * 1000), started)
        try:
            admission.enter()
            response = await work(visit) or answer_success(request, plain=visit.origin is None)
        except ConnectionError:
            raise  # the caller has gone; there is nobody to answer
        except Exception as error:  # noqa: BLE001 - the table has a line for each
            response = _ending(request, answer_error(error, parts.log))
        finally:
            admission.leave(visit.reserved)
        observe(visit.source, response.status, time.perf_counter() - started)
        if pages and visit.origin is not None and gate.lets_read(visit.source, visit.origin, started):
            cors.allow(response.headers, visit.origin)
        return response

    return handle


def _ending(request: web.Request, response: web.Response) -> web.Response:
    """The server ends a connection whose body it could not read: say so, or the client's next request is lost."""
    if request.content.exception() is not None or response.status == 408:
        response.force_close()
    return response


def asking_first(parts: Parts, method: str, *, pages: bool) -> Handler:
    """OPTIONS: a browser asks whether a page may call. Whose page it is stands in what it has not sent yet."""

    async def handle(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        allowed = pages and parts.reception.gate.lets_read("", origin, time.perf_counter())
        return cors.preflight(request, method, allowed=allowed)

    return handle
