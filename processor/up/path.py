"""Whether an event could go the whole way now, asked of the running system."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

__all__ = ["Answer", "ask_path", "read_answer"]

_TIMEOUT_S = 5.0  # the probe itself answers within 3 s


@dataclass(frozen=True, slots=True)
class Answer:
    """``pending``: records not yet applied; ``None`` when the system does not know."""

    open: bool
    waits_for: str = ""
    pending: int | None = None


async def ask_path(url: str) -> Answer:
    """One GET of /health/path. Never raises: who does not answer is what is waited for."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/health/path") as response:
            return read_answer(response.status, await response.read())
    except (aiohttp.ClientError, OSError, TimeoutError):
        return Answer(False, "ingress answers")
    finally:
        await asyncio.sleep(0)  # the session's connections close in the loop's next turn


def read_answer(status: int, body: bytes) -> Answer:
    """``{"status": "ok", "checks": {name: "ok" | sentence}, "pending": n}``, as ``api.probes`` writes it."""
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    checks = told.get("checks")
    failing = [f"{name}: {said}" for name, said in checks.items() if said != "ok"] if isinstance(checks, dict) else []
    pending = told.get("pending")
    return Answer(
        open=status == 200,
        waits_for="; ".join(failing) or f"/health/path answers {status}",
        pending=pending if isinstance(pending, int) else None,
    )
