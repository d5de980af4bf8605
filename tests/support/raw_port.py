"""An ingress listening as processes do, for tests that send bytes of their own making."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from support.ingress_rig import Rig

from ingress.app import build_app
from processor.adapters.memory.publisher import MemoryPublisher
from processor.settings import Settings
from processor.wiring.listening import bind, open_site

__all__ = ["BODY", "CALL", "HEAD", "Port", "listening"]

BODY = b'{"userId":"u","event":"E","messageId":"m","writeKey":"wk_secret"}'
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: x\r\n"
CALL = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


class Port:
    """A port that is listened on, and the publisher behind it."""

    def __init__(self, number: int, publisher: MemoryPublisher, stack: AsyncExitStack) -> None:
        self.number = number
        self.publisher = publisher
        self.stop = stack.aclose

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)

    async def ask(self, raw: bytes, within_s: float = 3) -> bytes:
        """All that is answered until the other side ends the connection."""
        reader, writer = await self.connect()
        writer.write(raw)
        try:
            return await asyncio.wait_for(reader.read(), within_s)
        finally:
            writer.close()


@asynccontextmanager
async def listening(ack_after_s: float = 0.0, **settings: Any) -> AsyncIterator[Port]:
    publisher = MemoryPublisher(ack_after_s=ack_after_s)
    app = build_app(publisher, Rig(None, publisher), Settings(**settings))
    async with AsyncExitStack() as stack:
        listeners = bind("127.0.0.1", 0)
        await open_site(stack, app, listeners, Settings(**settings))
        yield Port(listeners[0].getsockname()[1], publisher, stack)
