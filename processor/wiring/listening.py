"""A listening port that bounds slow clients and answers in JSON, also what is no HTTP.

aiohttp's own limit for headers is that for idle connections, which must be long; and what it cannot parse it logs with
the client's bytes and answers as text. The limit for bodies is with whoever reads them (``ingress.bodies``).
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ingress.answers import answer_refusal
from processor.errors import ConfigError
from processor.logs import get_log
from processor.settings import Settings

__all__ = ["BACKLOG", "Connection", "bind", "open_site"]

BACKLOG = 1024
"""Connections that wait to be accepted; the system may cap it lower (net.core.somaxconn)."""
_LINGER_S = 5.0
_FIRST_REQUEST_TRIES = 50
"""Of 20 ms each: how long a connection that was just accepted may take to ask something."""
_CLIENTS_FAULTS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""Not logged: anybody can have as many as he likes, and their bytes may hold a secret."""


_receive = web.RequestHandler.data_received
"""Called for every request: by ``super()`` it would cost twice as much."""


class Connection(web.RequestHandler):
    """aiohttp's, with a time limit for headers from their first byte on."""

    __slots__ = ("_header_timeout_s", "_headers_due")

    def __init__(self, manager: web.Server, *, header_timeout_s: float, **options: Any) -> None:
        super().__init__(manager, **options)
        self._header_timeout_s = header_timeout_s
        self._headers_due: asyncio.TimerHandle | None = None

    @property
    def asked_nothing(self) -> bool:
        """Whether its client has connected and its first request is still on its way."""
        return self._request_count == 0

    def data_received(self, data: bytes) -> None:
        _receive(self, data)
        # Whoever still waits for a request after these bytes has only some of its headers.
        if (waiter := self._waiter) is not None and not waiter.done() and self._headers_due is None:
            count = self._request_count
            self._headers_due = self._loop.call_later(self._header_timeout_s, self._give_up, count)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None
        super().connection_lost(exc)

    def _give_up(self, count: int) -> None:
        self._headers_due = None
        if self._request_count == count:
            self.force_close()

    def log_exception(self, *_args: Any, **more: Any) -> None:
        """A line of our own for what nobody foresaw; none for a body whose rest cannot be read after its answer."""
        error = more.get("exc_info")
        if not isinstance(error, _CLIENTS_FAULTS):
            get_log().error("request_failed", error=type(error).__name__, exc_info=error)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, or what a handler did not foresee; the connection ends with it."""
        if isinstance(exc, ConnectionError):
            raise exc  # the caller has gone: there is nobody to answer, and nothing to log
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        if isinstance(exc, _CLIENTS_FAULTS):
            response = answer_refusal(400, "bad_request", "This is no HTTP request that can be read.")
        else:
            get_log().error("request_failed", error=type(exc).__name__, exc_info=exc)
            said = "Something went wrong here; the log of this process says what."
            response = answer_refusal(status, "internal_error", said)
        response.force_close()
        return response


class _Site(web.BaseSite):
    """A listening socket and what is made of each connection to it."""

    def __init__(self, runner: web.AppRunner, listener: socket.socket, protocol: Callable[[], Connection]) -> None:
        super().__init__(runner, backlog=BACKLOG)
        self._listener = listener
        self._protocol = protocol

    @property
    def name(self) -> str:
        return str(self._listener.getsockname())

    async def start(self) -> None:
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, sock=self._listener, backlog=self._backlog)


async def open_site(
    stack: AsyncExitStack, app: web.Application, listeners: Sequence[socket.socket], settings: Settings
) -> None:
    """Serve the application on these sockets until the stack unwinds: accept no more, then finish what is here."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.shutdown_timeout_s, handle_signals=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    server = runner.server
    if server is None:
        raise RuntimeError("the runner has no server after its setup")
    stack.push_async_callback(_stop_accepting, runner, server)

    def protocol() -> Connection:
        return Connection(
            server,
            loop=loop,
            access_log=None,
            keepalive_timeout=settings.keep_alive_s,
            header_timeout_s=settings.header_timeout_s,
            # Of a refused request the rest is read on a while, else its client would see a reset and no answer.
            lingering_time=min(_LINGER_S, settings.body_timeout_s),
        )

    for listener in listeners:
        await _Site(runner, listener, protocol).start()


async def _stop_accepting(runner: web.AppRunner, server: web.Server) -> None:
    """Take no new connection; who has just got one is heard, for he would else be dropped without an answer."""
    for site in list(runner.sites):
        await site.stop()
    for _ in range(_FIRST_REQUEST_TRIES):
        if not any(isinstance(one, Connection) and one.asked_nothing for one in server.connections):
            break
        await asyncio.sleep(0.02)


def bind(host: str, port: int, *, shared: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address of this host. ``shared``: others of ours may listen there too.

    Raises ``ConfigError`` when it cannot be had.
    """
    made: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made.append(socket.socket(family, kind, protocol))
            made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                made[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made[-1].bind(address)
            made[-1].listen(BACKLOG)
            made[-1].setblocking(False)
    except OSError as error:
        for listener in made:
            listener.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; choose another ISTHMUS_PORT") from error
    return made
