"""Ports of 127.0.0.1: which are free, and whether somebody answers."""

import asyncio
import random
import socket

from processor.errors import UnavailableError

__all__ = ["HOST", "free_port", "is_free", "until_answered"]

HOST = "127.0.0.1"
_BELOW_EPHEMERAL = range(20_000, 32_000)
"""Below the ports that Linux (32768) and macOS (49152) give to outgoing connections.

A client that keeps trying a port of theirs while nobody listens may be connected to itself.
"""


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on."""
    for port in random.sample(_BELOW_EPHEMERAL, 200):
        if is_free(port):
            return port
    raise UnavailableError("no free port on 127.0.0.1 between 20000 and 32000")


async def until_answered(port: int, timeout_s: float, step_s: float = 0.02) -> bool:
    """Wait until something accepts a connection. False when nothing did in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    _, writer = await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(step_s)
                else:
                    writer.close()
                    return True
    except TimeoutError:
        return False
