"""A listening port as processes have it: slow clients, what is no HTTP, shutdown."""

import asyncio
import time
from typing import Any

import orjson
import pytest
from support.raw_port import BODY, CALL, HEAD, listening

from processor.errors import ConfigError
from processor.wiring.listening import bind


def parsed(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), orjson.loads(body)


async def test_slow_headers() -> None:
    """Headers that drip in are cut off by their first byte's time, however steadily they drip."""
    async with listening(header_timeout_s=0.4) as port:
        for beginning in (HEAD, CALL + HEAD):
            reader, writer = await port.connect()
            writer.write(beginning)
            started = time.monotonic()

            async def drip(writer: Any = writer) -> None:
                while True:
                    await asyncio.sleep(0.05)
                    writer.write(b"X-A: b\r\n")

            dripping = asyncio.create_task(drip())
            await asyncio.wait_for(reader.read(), 2)
            assert 0.3 < time.monotonic() - started < 1.0
            dripping.cancel()
            writer.close()


async def test_a_request_in_pieces() -> None:
    """Slow but within its time, a request is served, and so is the next one on the same connection."""
    async with listening(header_timeout_s=0.5) as port:
        reader, writer = await port.connect()
        for _ in range(3):
            for piece in (CALL[:10], CALL[10:30], CALL[30:]):
                writer.write(piece)
                await asyncio.sleep(0.12)
            assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"}"), 1)
        writer.close()
        assert len(port.publisher.records["segment.events"]) == 3


async def test_idle_connections() -> None:
    """A connection on which nothing comes, first or after a request, ends in its time."""
    async with listening(keep_alive_s=0.3) as port:
        for beginning in (b"", CALL):
            started = time.monotonic()
            await port.ask(beginning, 2)
            assert 0.2 < time.monotonic() - started < 1.2


async def test_slow_body() -> None:
    """A body that drips in: 408 as JSON when its time is over."""
    async with listening(body_timeout_s=0.3) as port:
        status, body = parsed(await port.ask(HEAD + b"Content-Length: 500\r\n\r\n{", 2))
        assert (status, body["code"]) == (408, "slow_body")


NO_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET\r\n\r\n",
    b"POST /v1/track HTTP/9.9\r\n\r\n",
    HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}",
    HEAD + b"Content-Length: -1\r\n\r\n",
    HEAD + b"Content-Length: +5\r\n\r\n{}{}{",
    HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"X-A: b\r\n c\x00d\r\n\r\n",
    HEAD + b"X-" + b"A" * 20_000 + b": b\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(1_000)) + b"\r\n",
]


@pytest.mark.parametrize("raw", NO_HTTP, ids=[repr(raw[:60]) for raw in NO_HTTP])
async def test_what_is_no_http(raw: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """400 as JSON without the client's bytes, the connection ends, and nothing is logged or kept."""
    async with listening() as port:
        status, body = parsed(await port.ask(raw + b"secret_of_a_client\r\n\r\n"))
        assert (status, body["code"], body["success"]) == (400, "bad_request", False)
        assert port.publisher.records["segment.events"] == []
    assert "request_failed" not in "".join(capsys.readouterr())


async def test_nothing_is_smuggled() -> None:
    """What stands behind a body that could be read in two ways is never taken for a request."""
    hidden = CALL.replace(b'"m"', b'"smuggled"')
    hidden = hidden.replace(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % (len(BODY) + 7))
    ways = [
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 0\nContent-Length: 5\r\n\r\n",
        HEAD + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    ]
    async with listening(keep_alive_s=0.5, header_timeout_s=0.5, body_timeout_s=0.5) as port:
        for way in ways:
            await port.ask(way + hidden)
            assert port.publisher.records["segment.events"] == [], way


async def test_no_line_for_a_broken_body(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """A body that cannot be inflated, or whose client goes in its middle, fills no log."""
    async with listening() as port:
        head = HEAD + b"Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n"
        for rest in (b"5\r\nabcde\r\n0\r\n\r\n", b"5\r\nabcde\r\n", b"5\r\nabcde\r\n5\r\nxy"):
            await port.ask(head + rest)
        _, writer = await port.connect()
        writer.write(HEAD + b"Content-Length: 500\r\n\r\n{")
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)
    assert "Traceback" not in "".join(capsys.readouterr()) + caplog.text


async def test_expectations() -> None:
    """100-continue is granted before the body is sent; another expectation is refused as JSON."""
    async with listening() as port:
        reader, writer = await port.connect()
        head = HEAD + b"Content-Length: %d\r\nExpect: " % len(BODY)
        writer.write(head + b"100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(BODY)
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"}"), 2)
        writer.close()
        status, body = parsed(await port.ask(head + b"tea\r\nConnection: close\r\n\r\n" + BODY))
        assert (status, body["code"]) == (417, "bad_expectation")
        assert len(port.publisher.records["segment.events"]) == 1


async def test_stopping() -> None:
    """Told to stop: nothing new is accepted, what was accepted is answered, idle connections end."""
    async with listening(ack_after_s=0.5) as port:
        _, idle = await port.connect()
        asked = asyncio.create_task(port.ask(CALL))
        await asyncio.sleep(0.2)
        stopping = asyncio.create_task(port.stop())
        await asyncio.sleep(0.05)
        with pytest.raises(ConnectionError):
            await port.connect()
        assert b"200 OK" in await asked
        await asyncio.wait_for(stopping, 2)
        idle.close()
        assert len(port.publisher.records["segment.events"]) == 1


async def test_who_has_just_connected() -> None:
    """Told to stop while a connection's first request is on its way: it is answered."""
    async with listening() as port:
        reader, writer = await port.connect()
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(port.stop())
        await asyncio.sleep(0.1)
        writer.write(CALL)
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"}"), 2)
        await asyncio.wait_for(stopping, 2)
        writer.close()


async def test_a_taken_port() -> None:
    """Who comes second is told at once, unless both share."""
    first = bind("127.0.0.1", 0)
    number = first[0].getsockname()[1]
    with pytest.raises(ConfigError, match=f"{number}.*ISTHMUS_PORT"):
        bind("127.0.0.1", number)
    with pytest.raises(ConfigError):
        bind("127.0.0.1", number, shared=True)
    shared = [*bind("127.0.0.1", 0, shared=True)]
    shared += bind("127.0.0.1", shared[0].getsockname()[1], shared=True)
    for each in (*first, *shared):
        each.close()
