"""The embedded broker never frees memory: past a size, and with nothing pending, it is started afresh."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from processor.adapters.kafka.topics import OWN_TOPICS
from processor.errors import UnavailableError
from processor.settings import Settings
from processor.up.kept import Kept
from processor.up.path import ask_path
from processor.up.pending import pending_records

__all__ = ["MEMORY_LIMIT_BYTES", "resident_bytes", "watch_memory"]

MEMORY_LIMIT_BYTES = 2 * 1024**3
"""Resident size past which the broker is started afresh: about 3.5 million events of 0.5 KB (design section 9)."""
_INTERVAL_S = 5.0
_ON_THE_WAY_S = 0.25
"""Time for what ingress had sent when it froze to reach the broker's log, so that the look counts it."""


async def watch_memory(broker: Kept, ingress: Kept, url: str, settings: Settings, limit_bytes: int) -> None:
    """Look every 5 s, for ever."""
    while True:
        await asyncio.sleep(_INTERVAL_S)
        child = broker.child
        if child is None or not child.alive or not child.pid:
            continue
        if await resident_bytes(child.pid) < limit_bytes:
            continue
        if (await ask_path(url)).pending == 0:
            await _renew(broker, ingress, settings)


async def _renew(broker: Kept, ingress: Kept, settings: Settings) -> None:
    """Ingress is frozen while we look, or an event acknowledged between the look and the end would be lost."""
    child = ingress.child
    if child is None or not child.alive:
        return
    topics = [settings.topic(name) for name in OWN_TOPICS]
    async with child.frozen():
        await asyncio.sleep(_ON_THE_WAY_S)
        with suppress(UnavailableError):
            if await pending_records(settings.kafka, settings.postgres.get_secret_value(), topics) == 0:
                await broker.renew()


async def resident_bytes(pid: int) -> int:
    """Bytes of memory that a process holds; 0 when it is gone. By ``ps``, which Linux and macOS both have."""
    try:
        ps = await asyncio.create_subprocess_exec(
            *("ps", "-o", "rss=", "-p", str(pid)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return _resident_by_proc(pid)
    out, _ = await ps.communicate()
    return int(out) * 1024 if out.strip().isdigit() else 0


def _resident_by_proc(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
