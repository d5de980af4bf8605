"""Every path that an SDK calls, by every name, with and without a slash."""

import asyncio
import re
import zlib
from typing import Any

import orjson
import pytest
from aiohttp import ClientTimeout
from support.ingress_rig import BASIC, GOOD, Rig, serving, told

from ingress.operations import CALLS, OPERATIONS
from processor.adapters.memory.publisher import MemoryPublisher

ALL = {"userId": "u", "previousId": "p", "groupId": "g", "event": "E", "messageId": "m"}
ITEMS = [{**ALL, "type": type_} for type_ in (*CALLS, "delete")]
POSTS = [re.sub("{.*}", "x", path) for each in OPERATIONS if each.method == "POST" for path in each.paths]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("letter", "itpsga")
async def test_letters(rig: Rig, letter: str, slash: str) -> None:
    """The browser's one-letter paths are the six calls, with a body of type text/plain."""
    body = {**ALL, "writeKey": "wk_secret"}
    await told(await rig.post(f"/v1/{letter}{slash}", body, {"Content-Type": "text/plain"}), 200)
    assert rig.events[0]["type"][0] == letter


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", ["batch", "import", "b"])
async def test_batches(rig: Rig, name: str, slash: str) -> None:
    """The three names of the batch take all six calls and delete."""
    await told(await rig.post(f"/v1/{name}{slash}", {"batch": ITEMS, "writeKey": "wk_secret"}, {}), 200)
    assert [event["type"] for event in rig.events] == [*CALLS, "delete"]
    assert rig.rejected == []


@pytest.mark.parametrize("body", [b'{"series":[{"type":"Counter"}]}', b"", b"no JSON", b"x" * 100_000])
async def test_metrics(rig: Rig, body: bytes) -> None:
    """The browser's figures are read and not kept, whoever sends them and whatever they are."""
    await told(await rig.post("/v1/m", body, {}), 200)
    await told(await rig.post("/v1/m/", body, {"Content-Encoding": "identity"}), 200)
    assert rig.events == []
    assert rig.rejected == []


@pytest.mark.parametrize("path", POSTS)
async def test_other_methods(rig: Rig, path: str) -> None:
    """GET, PUT and HEAD on a path that takes POST: 405 that says so; OPTIONS is answered; nothing is kept."""
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
        response = await rig.client.request(method, path, headers=BASIC)
        assert (response.status, response.headers["Allow"]) == (405, "POST, OPTIONS")
        if method != "HEAD":
            await told(response, 405, "method_not_allowed")
    response = await rig.client.options(path)
    assert (response.status, response.headers["Allow"], await response.read()) == (204, "POST, OPTIONS", b"")
    assert rig.events == []


async def test_head_of_a_get(rig: Rig) -> None:
    """HEAD answers as GET would, without a body; on the image's address it makes no event."""
    for path in ("/v1/projects/wk_secret/settings", "/v1/openapi.json", "/v1/pixel/track?userId=u&event=E"):
        response = await rig.client.head(path, headers=BASIC)
        assert (response.status, await response.read()) == (200, b""), path
        assert int(response.headers["Content-Length"]) > 0
    assert (await rig.client.head("/v1/projects/wk_wrong/settings")).status == 404
    assert rig.events == []


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, -zlib.MAX_WBITS, zlib.MAX_WBITS | 16])
@pytest.mark.parametrize("chunked", [False, True])
async def test_encodings(rig: Rig, wbits: int, chunked: bool) -> None:
    """deflate with and without its header, and gzip, with a length or in chunks, whatever the type says."""
    packer = zlib.compressobj(wbits=wbits)
    body = packer.compress(orjson.dumps({"batch": [GOOD]})) + packer.flush()
    encoding = "gzip" if wbits > zlib.MAX_WBITS else "deflate"
    headers = {**BASIC, "Content-Encoding": encoding, "Content-Type": "application/octet-stream"}

    async def chunks() -> Any:
        yield body[:20]
        yield body[20:]

    await told(await rig.client.post("/v1/b", data=chunks() if chunked else body, headers=headers), 200)
    assert len(rig.events) == 1


@pytest.mark.parametrize("chunked", [False, True])
async def test_what_inflates_too_much(rig: Rig, chunked: bool) -> None:
    """Within the size of a batch, but inflated a thousandfold: 400, and the next request is served."""
    body = zlib.compress(orjson.dumps({"batch": [GOOD], "pad": " " * 400_000}), 9)

    async def chunks() -> Any:
        for place in range(0, len(body), 100):
            yield body[place : place + 100]

    headers = {**BASIC, "Content-Encoding": "deflate"}
    response = await rig.client.post("/v1/batch", data=chunks() if chunked else body, headers=headers)
    await told(response, 400, "inflates_too_much")
    assert rig.events == []
    items = [{**GOOD, "messageId": f"{n:032x}", "properties": {"n": n}} for n in range(1_000)]
    ordinary = zlib.compress(orjson.dumps({"batch": items}), 9)
    await told(await rig.client.post("/v1/batch", data=ordinary, headers=headers), 200)
    assert len(rig.events) == 1_000


async def test_slow_body() -> None:
    """A body that does not come to its end in time: 408, and the connection ends."""
    async with serving(body_timeout_s=0.2) as rig:

        async def endless() -> Any:
            yield b'{"userId":'

            await asyncio.sleep(5)

        for path in ("/v1/track", "/v1/m"):
            response = await rig.client.post(path, data=endless(), headers=BASIC, timeout=ClientTimeout(3))
            await told(response, 408, "slow_body")
            assert response.headers["Connection"] == "close"
        assert rig.rejected == []


async def test_too_many_at_once() -> None:
    """Above the cap of requests at once: 503 at once with Retry-After; afterwards all are taken."""

    async with serving(publisher=MemoryPublisher(ack_after_s=0.3), max_in_flight_requests=3) as rig:
        answers = await asyncio.gather(*(rig.post("/v1/track", GOOD) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [200, 200, 200, 503, 503]
        refused = [answer for answer in answers if answer.status == 503]
        for answer in refused:
            await told(answer, 503, "too_busy")
            assert answer.headers["Retry-After"] == "1"
        await told(await rig.post("/v1/track", GOOD), 200)
