"""The calls of ``/control/v1``: who asks, what for, and the work beside the loop."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from aiohttp import web

from processor.api.control.asking import sample, try_out
from processor.api.control.suppressions import Suppressions
from processor.api.envelope import enveloped
from processor.api.refusals import RefusedError
from processor.api.tokens import CONTROL, behind
from processor.ports.directory import DirectoryWriter
from processor.ports.revisions import CurrentRevision

__all__ = ["MOST_WAITING", "ROOT", "build_control"]

ROOT = "/control/v1"
MOST_WAITING = 8
"""Requests that may wait for their turn: a document of a megabyte takes seconds, and each holds its body."""

T = TypeVar("T")


def build_control(revision: CurrentRevision, writer: DirectoryWriter | None = None) -> list[web.RouteDef]:
    """The table of routes. Only suppressions write anything."""
    control, suppressions = _Control(revision), Suppressions(revision, writer)
    return [
        web.post(f"{ROOT}/try", enveloped(behind(CONTROL, revision, control.try_out))),
        web.get(f"{ROOT}/sample", enveloped(behind(CONTROL, revision, control.sample))),
        web.post(f"{ROOT}/suppressions", enveloped(suppressions.add)),
        web.delete(f"{ROOT}/suppressions", enveloped(suppressions.lift)),
        web.route("*", f"{ROOT}/{{rest:.*}}", enveloped(behind(CONTROL, revision, control.unknown))),
    ]


class _Control:
    def __init__(self, revision: CurrentRevision) -> None:
        self._revision = revision
        self._turn = asyncio.Lock()
        self._here = 0

    async def try_out(self, request: web.Request) -> object:
        body = await request.read()
        return await self._beside(lambda: try_out(body, self._revision.current.rules, _now_ms(), str(uuid4())))

    async def sample(self, request: web.Request) -> object:
        query = dict(request.query)
        return await self._beside(lambda: sample(query, self._revision.current.rules, _now_ms(), str(uuid4())))

    async def unknown(self, request: web.Request) -> object:
        raise RefusedError(404, "unknown_call", f"There is no such call as {request.method} on this path.")

    async def _beside(self, work: Callable[[], T]) -> T:
        """Work that could hold up the loop, in a thread, one piece at a time."""
        if self._here > MOST_WAITING:
            raise RefusedError(429, "busy", "Others are being tried; the same request in a few seconds is right.")
        self._here += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._here -= 1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
