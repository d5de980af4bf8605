"""Bytes by chance for the ingress: bodies, and whole requests.

A few with a fixed seed; ``make fuzz`` takes many more, of a new seed that a failure names.
"""

import asyncio
import gzip
import os
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from support.ingress_rig import BASIC
from support.raw_port import BODY, CALL, HEAD, Port, listening

from ingress.operations import OPERATIONS

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(1800)]

CASES = int(os.environ.get("ISTHMUS_FUZZ_CASES", "3000")) // 5
SEED = int(os.environ.get("ISTHMUS_FUZZ_SEED", "1"))
CHANCE = settings(
    max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)
POSTS = [re.sub("{.*}", "web", path) for each in OPERATIONS if each.method == "POST" for path in each.paths]

EVENT = {"type": "track", "userId": "u", "event": "E", "writeKey": "wk_secret", "timestamp": "2026-01-01T12:00:00Z"}
BODIES = [
    orjson.dumps(EVENT),
    orjson.dumps({"batch": [EVENT, {"type": "identify", "traits": {"a": [1, {"b": None}]}, "anonymousId": "a"}] * 3}),
    orjson.dumps({"writeKey": "wk_secret", "batch": [EVENT] * 2, "context": {"ip": "1"}, "sentAt": "2026-01-01"}),
    b"[" * 300 + b"]" * 300,
]
TOKENS = (
    b'"', b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\xef\xbb\xbf", b"1e999", b"-0", b"9" * 400, b"NaN", b"null", b"{",
    b"}", b"[", b"]", b",", b":", b'"batch":', b'"writeKey":"', b'"wk_secret"', b'"messageId":', b'"type":"delete"',
    b'"timestamp":"9999-12-31T23:59:59.999Z"', b'"sentAt":"0001-01-01"', b"\x00", b" " * 300, b"[" * 500,
)  # fmt: skip
HTTP_TOKENS = (
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Content-Encoding: gzip\r\n", b"Host: \xff\r\n",
    b"0\r\n\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"HTTP/1.0", b"GET /v1/pixel/page?data=e30 ",
    b"5;x=y\r\nabcde\r\n",
    b"Origin: null\r\n", b"OPTIONS * ", b"CONNECT x:1 ", b"%00", b"//", b"Content-Encoding: br\r\n", CALL,
)  # fmt: skip

Edit = tuple[float, int, bytes]


def edits(tokens: tuple[bytes, ...]) -> st.SearchStrategy[list[Edit]]:
    """Where, how many bytes go there, and what comes instead."""
    return st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 20), st.sampled_from(tokens) | st.binary(max_size=4)), max_size=6
    )


def edited(raw: bytes, changes: list[Edit]) -> bytes:
    for place, gone, new in changes:
        at = int(place * len(raw))
        raw = raw[:at] + new + raw[at + gone :]
    return raw


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: body,
    "x": lambda body: body,
}


def check_kept(rig: Any) -> None:
    """What was stored: JSON objects that normalising made, and nowhere the write key. Then it is forgotten."""
    for record in rig.publisher.records["segment.events"]:
        event = orjson.loads(record.value)
        assert event["messageId"]
        assert event["receivedAt"]
        assert "writeKey" not in event
    for topic in ("segment.events", "segment.rejected"):
        for key, value, headers in rig.publisher.records[topic]:
            if topic == "segment.rejected":
                assert b"wk_secret" not in value
            assert b"wk_secret" not in key + b"".join(text for _, text in headers)
        rig.publisher.records[topic].clear()


async def test_bodies() -> None:
    """Whatever a body holds and however it is packed: JSON, no 5xx, nothing odd is stored."""
    loop = asyncio.get_running_loop()
    seen: set[int] = set()

    async def ask(port: Port, http: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> None:
        async with http.post(url, data=body, headers=headers) as response:
            answer = orjson.loads(await response.read())
        assert response.status in {200, 400, 401, 403, 413}, answer
        assert "meta" in answer or answer["success"] is (response.status == 200)
        seen.add(response.status)
        check_kept(port)

    async with listening() as port, aiohttp.ClientSession(f"http://127.0.0.1:{port.number}") as http:

        @seed(SEED)
        @CHANCE
        @given(
            st.sampled_from(POSTS),
            st.sampled_from(BODIES),
            edits(TOKENS),
            st.sampled_from(list(PACK)),
            edits((b"\x1f\x8b", b"\x00\x00\xff\xff")),
            st.booleans(),
        )
        def check(path: str, body: bytes, inside: list[Edit], encoding: str, outside: list[Edit], basic: bool) -> None:
            packed = edited(PACK[encoding](edited(body, inside)), outside if encoding else [])
            headers = {**(BASIC if basic else {}), **({"Content-Encoding": encoding} if encoding else {})}
            asyncio.run_coroutine_threadsafe(ask(port, http, path, packed, headers), loop).result(20)

        await asyncio.to_thread(check)
        await ask(port, http, "/v1/track", BODIES[0], BASIC)
    assert {200, 400, 401, 403} <= seen


def answers_of(raw: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer, one after the other."""
    found = []
    while raw:
        head, end, rest = raw.partition(b"\r\n\r\n")
        assert end, raw[:300]
        lines = head.split(b"\r\n")
        status = int(lines[0].split()[1])
        if status == 100:
            raw = rest
            continue
        names = dict(line.lower().split(b": ", 1) for line in lines[1:] if b": " in line)
        size = int(names.get(b"content-length", b"0"))
        found.append((status, rest[:size] if names.get(b"content-type", b"").startswith(b"application/json") else b""))
        raw = rest[size:]
    return found


async def test_requests() -> None:
    """Whatever bytes come as requests: no 5xx, answers in JSON, nothing odd is stored, the next one is served."""
    loop = asyncio.get_running_loop()
    seen: set[int] = set()
    lone = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
    asked = [
        CALL,
        CALL + CALL,
        lone,
        b"GET /v1/pixel/page?userId=u&writeKey=wk_secret HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/projects/wk_secret/settings HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS /v1/t HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    ]

    async def ask(port: Port, raw: bytes) -> None:
        reader, writer = await port.connect()
        writer.write(raw)
        answer = b""
        with suppress(ConnectionError, TimeoutError):
            while more := await asyncio.wait_for(reader.read(65_536), 0.05):
                answer += more
        writer.close()
        # HEAD is answered without the body whose length it tells.
        for status, body in answers_of(answer) if b"HEAD" not in raw else ():
            seen.add(status)
            assert status < 500 or status == 503, answer
            if body:
                orjson.loads(body)
        check_kept(port)

    async with listening(keep_alive_s=2, header_timeout_s=1, body_timeout_s=1) as port:

        @seed(SEED)
        @CHANCE
        @given(st.sampled_from(asked), edits(HTTP_TOKENS))
        def check(raw: bytes, changes: list[Edit]) -> None:
            asyncio.run_coroutine_threadsafe(ask(port, edited(raw, changes)), loop).result(20)

        await asyncio.to_thread(check)
        assert answers_of(await port.ask(CALL.replace(b"Host", b"Connection: close\r\nHost")))[0][0] == 200
    assert {200, 400, 404} <= seen
