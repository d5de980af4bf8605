"""Health and metrics: three questions to this process, each answered 200 or 503 with sentences.

``/health/live``: the loop turned lately; never dependencies. ``/health/ready``: this process can do its own job.
``/health/path``: an event could go the whole way now. What is asked is passed in (design section 9).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import orjson
from aiohttp import web

from processor.errors import IsthmusError
from processor.metrics import CONTENT_TYPE

__all__ = ["PROBE_TIMEOUT_S", "Check", "Probe", "build_probes"]

PROBE_TIMEOUT_S = 3.0
"""Seconds until an unanswered question counts as a problem: below the usual patience of probes."""

Check = tuple[str, str | None]
"""What was looked at, and what is wrong with it as a sentence; ``None``: nothing."""
Probe = Callable[[], Awaitable[Sequence[Check]]]


async def _unknown_pending() -> int | None:
    return None


def build_probes(
    live: Probe,
    ready: Probe,
    path: Probe,
    metrics_text: Callable[[], bytes],
    pending: Callable[[], Awaitable[int | None]] = _unknown_pending,
) -> list[web.RouteDef]:
    """The routes of one process. ``pending`` counts records not yet applied, ``None`` when that cannot be known."""

    async def health_live(_request: web.Request) -> web.Response:
        return _answer(await _ask(live), {})

    async def health_ready(_request: web.Request) -> web.Response:
        return _answer(await _ask(ready), {})

    async def health_path(_request: web.Request) -> web.Response:
        checks, count = await asyncio.gather(_ask(path), _count(pending))
        return _answer(checks, {} if count is None else {"pending": count})

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=metrics_text(), headers={"Content-Type": CONTENT_TYPE})

    return [
        web.get("/health/live", health_live),
        web.get("/health/ready", health_ready),
        web.get("/health/path", health_path),
        web.get("/metrics", metrics),
    ]


async def _ask(probe: Probe) -> Sequence[Check]:
    """The probe's answer; a probe that hangs or fails is itself the problem."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await probe()
    except TimeoutError:
        return [("probe", f"No answer within {PROBE_TIMEOUT_S:g} seconds.")]
    except IsthmusError as error:
        return [("probe", f"{error}.")]
    except Exception as error:  # noqa: BLE001 - a probe that breaks must turn red, not into an error page
        return [("probe", f"The probe itself failed: {type(error).__name__}.")]


async def _count(pending: Callable[[], Awaitable[int | None]]) -> int | None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await pending()
    except Exception:  # noqa: BLE001 - the number is an extra; the probe's own checks say what is wrong
        return None


def _answer(checks: Sequence[Check], extra: dict[str, int]) -> web.Response:
    """``{"status": "ok" | "failing", "checks": {name: "ok" | sentence}}``."""
    failing = any(problem is not None for _, problem in checks)
    body = {
        "status": "failing" if failing else "ok",
        "checks": {name: problem if problem is not None else "ok" for name, problem in checks},
        **extra,
    }
    return web.Response(
        status=503 if failing else 200,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
