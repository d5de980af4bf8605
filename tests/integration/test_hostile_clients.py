"""A real process of ingress among clients that mean harm: its memory stays bounded, and others are served meanwhile."""

import asyncio
import gzip
import io
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from support.load import AUTHORIZATION, DOCUMENT
from support.running import Isthmus, Kept

from processor.adapters.kafka.topics import ensure_topics

pytestmark = pytest.mark.integration

PEAK_MB = 120
HEADERS = {"Authorization": AUTHORIZATION}


@asynccontextmanager
async def ingress(bootstrap: str, database: str, folder: Path, **settings: str) -> AsyncIterator[tuple[Isthmus, Kept]]:
    isthmus = Isthmus(bootstrap, database, folder, group=False, **settings)
    await ensure_topics(isthmus.settings)
    await isthmus.apply(DOCUMENT)
    kept = isthmus.keep("ingress")
    try:
        await isthmus.ready(kept)
        yield isthmus, kept
    finally:
        await isthmus.close()


def peak_mb(kept: Kept) -> float:
    """Resident memory of the process at its highest."""
    lines = Path(f"/proc/{kept.now._child.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def post(http: aiohttp.ClientSession, path: str, body: bytes, **headers: str) -> int:
    try:
        async with http.post(path, data=io.BytesIO(body), headers={**HEADERS, **headers}) as answer:
            assert orjson.loads(await answer.read())["success"] is (answer.status == 200)
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0  # the process ended the connection while the rest of a refused body was on its way


async def test_bombs_and_large_bodies(broker: Any, database: str, tmp_path: Path) -> None:
    """Bodies that inflate to gigabytes together, nest without end or hold a million items: 400, and no memory lost."""
    zeros = gzip.compress(bytes(30_000_000), 9)
    bodies = [
        (zeros, "gzip", {400, 0}),
        (gzip.compress(zeros, 9), "gzip", {400}),
        (gzip.compress(b'{"batch":[' + b"0," * 200_000 + b"0]}"), "gzip", {200, 400}),
        (b"[" * 500_000, "identity", {400}),
        (b'{"a":' * 80_000 + b"1" + b"}" * 80_000, "identity", {400}),
        (b'{"batch":[' + b"{}," * 160_000 + b"{}]}", "identity", {200, 400}),
        (b"x" * 2_000_000, "identity", {400, 0}),
        (
            orjson.dumps({"batch": [{"type": "page", "userId": "u"}] * 2_000, "context": {"a": "x" * 30_000}}),
            "identity",
            {200},
        ),
    ]
    async with (
        ingress(broker.bootstrap, database, tmp_path) as (isthmus, kept),
        aiohttp.ClientSession(isthmus.url, timeout=aiohttp.ClientTimeout(30)) as http,
    ):
        for _ in range(6):
            for body, encoding, statuses in bodies:
                answers = await asyncio.gather(
                    *(post(http, "/v1/batch", body, **{"Content-Encoding": encoding}) for _ in range(6))
                )
                assert set(answers) <= statuses | {503}, (body[:30], answers)
        # At most what may wait for Kafka, and as much again while it is parsed; measured 200 MB, in one round or forty.
        assert peak_mb(kept) < PEAK_MB + 2 * isthmus.settings.max_in_flight_bytes / 1e6
        assert await post(http, "/v1/track", b'{"userId":"u","event":"E"}') == 200


async def test_slow_clients(broker: Any, database: str, tmp_path: Path) -> None:
    """Three hundred clients that send a byte now and then are cut off in their time; others do not notice them."""
    limits = {"header_timeout_s": "2", "body_timeout_s": "2"}
    async with AsyncExitStack() as stack:
        isthmus, kept = await stack.enter_async_context(ingress(broker.bootstrap, database, tmp_path, **limits))
        http = await stack.enter_async_context(aiohttp.ClientSession(isthmus.url))
        starts = (
            b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-A: ",
            b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n{",
            b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        )
        cut_off: list[float] = []

        async def drip(start: bytes) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", isthmus.settings.port)
            began = time.monotonic()
            with suppress(ConnectionError):
                writer.write(start)
                while not reader.at_eof():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(4096), 0.2)
                    writer.write(b"a" if start.endswith((b"{", b": ")) else b"1\r\na\r\n")
            cut_off.append(time.monotonic() - began)
            writer.close()

        slow = [asyncio.create_task(drip(starts[number % 3])) for number in range(300)]
        await asyncio.sleep(0.5)
        latencies = []
        for _ in range(40):
            began = time.monotonic()
            assert await post(http, "/v1/track", b'{"userId":"u","event":"E"}') == 200
            latencies.append(time.monotonic() - began)
            await asyncio.sleep(0.02)
        await asyncio.wait_for(asyncio.gather(*slow), 20)
        assert len(cut_off) == 300
        assert max(cut_off) < 10
        assert sorted(latencies)[len(latencies) // 2] < 0.25
        assert peak_mb(kept) < PEAK_MB


async def test_many_while_kafka_stands_still(own_broker: Any, database: str, tmp_path: Path) -> None:
    """What waits for a frozen Kafka is bounded by requests and bytes: the rest is 503 at once, and memory stays."""
    limits = {"max_in_flight_requests": "200", "max_in_flight_bytes": "8000000"}
    async with (
        ingress(own_broker.bootstrap, database, tmp_path, **limits) as (isthmus, kept),
        aiohttp.ClientSession(isthmus.url, connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        batch = orjson.dumps({"batch": [{"type": "page", "userId": "u", "context": {"a": "x" * 3_000}}] * 100})
        assert await post(http, "/v1/batch", batch) == 200
        own_broker.freeze()
        try:
            peaks = []
            for _ in range(4):
                began = time.monotonic()
                answers = await asyncio.gather(*(post(http, "/v1/batch", batch) for _ in range(300)))
                assert set(answers) == {503}
                assert time.monotonic() - began < 15
                peaks.append(peak_mb(kept))
        finally:
            own_broker.thaw()
        # Each connection may hold what its socket brought, a quarter of a megabyte; more bursts bring no more.
        assert peaks[0] < PEAK_MB + 300 * 0.25
        assert peaks[-1] < peaks[1] + 20, peaks
